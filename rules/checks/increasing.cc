// increasing: a counter that never goes back, sensor by sensor.
#include "rules/row_check.h"
#include "rules/sensor_states.h"

namespace driftd::rules {
namespace {

struct Last {
  static constexpr std::size_t kBytes = 9;
  double value = 0;
  bool seen = false;
  void save(ByteWriter& out) const {
    out.f64(value);
    out.boolean(seen);
  }
  void load(ByteReader& in) {
    value = in.f64();
    seen = in.boolean();
  }
};

class Increasing final : public RowCheck {
 public:
  Increasing(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "decreasing"), strict_(params.boolean("strict")) {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<Increasing>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for_each_number(column(rows), rows.range, hits, [&](std::uint32_t r, double x) {
      Last& last = states_.at(rows.batch.sensor[r]);
      if (!last.seen) {
        hits.skip(r);
      } else if (x < last.value || (strict_ && x == last.value)) {
        hits.fail(r, x - last.value);
      }
      last = {x, true};
    });
  }
  void forget(std::uint32_t sensor) override { states_.forget(sensor); }
  void save(ByteWriter& out) const override { states_.save(out); }
  Status load(ByteReader& in) override { return states_.load(in, "increasing"); }

 private:
  bool strict_;
  SensorStates<Last> states_;
};

}  // namespace

void register_increasing(CheckRegistry& registry) {
  add_row_check<Increasing>(
      registry,
      {.name = "increasing",
       .summary = "A sensor's values never go down from one record to the next",
       .applies_to = "number, integer",
       .params = {{.name = "strict", .type = ParamType::kBoolean, .sentence = "Equal values fail too", .default_text = "false"}},
       .source = "GX expect_column_values_to_be_increasing, for each sensor",
       .example = "{check: increasing, field: energy_total}",
       .reasons = {{"decreasing", "more than max_share of the steps go down"}},
       .notes = "In the order of the partition. Nulls and NaN are not judged and do not end the comparison; a sensor's first value has nothing to compare with. State: 16 bytes a sensor."},
      FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger});
}

}  // namespace driftd::rules
