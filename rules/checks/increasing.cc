// increasing: a sensor's values never fall. 16 bytes a sensor; a few ns a row.
#include <cmath>

#include "rules/make_check.h"
#include "rules/numbers.h"
#include "rules/sensor_state.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

struct Last {
  double value = 0;
  bool seen = false;
  bool used() const { return seen; }
  void save(ByteWriter& out) const { out.f64(value); }
  void load(ByteReader& in) {
    value = in.f64();
    seen = true;
    if (!std::isfinite(value)) in.fail();
  }
};

class Increasing final : public ShareCheck {
 public:
  Increasing(const Params& params, const CheckContext& context)
      : ShareCheck(params, "not_increasing", Measure::kValue),
        field_(static_cast<std::size_t>(context.field)),
        strict_(params.boolean("strict")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (column.cells[r] != Cell::kValid) {
        hits.skip(r);
        continue;
      }
      const double x = column.numbers[r];
      Last& last = last_[rows.batch.sensor[r]];
      if (!last.seen) {
        hits.skip(r);
      } else if (strict_ ? x <= last.value : x < last.value) {
        hits.fail(r, finite(x - last.value));
      }
      last = {x, true};
    }
  }

  void forget(std::uint32_t sensor) override { last_.forget(sensor); }
  void save(ByteWriter& out) const override { last_.save(out); }
  Status load(ByteReader& in) override { return last_.load(in, "increasing"); }

 private:
  std::size_t field_;
  bool strict_;
  SensorState<Last> last_;
};

}  // namespace

void register_increasing(CheckRegistry& registry) {
  registry.add(
      {.name = "increasing",
       .summary = "A sensor's values grow from record to record: counters, meters, sequence numbers.",
       .applies_to = "number, integer",
       .params = with_share_params(
           {{.name = "strict", .type = ParamType::kBoolean, .sentence = "Count an equal value as a failure too", .default_text = "false"}}),
       .source = "Great Expectations expect_column_values_to_be_increasing, by sensor",
       .example = "- {check: increasing, field: energy_total}",
       .reasons = with_share_reasons({{"not_increasing", "too many values below the one before"}}),
       .notes = "Cells without a number (missing, null, wrong type, NaN) are skipped and change "
                "nothing; so is a sensor's first value. The order is that of the records in their "
                "partition, not of their event times. A value is compared with the one before it, "
                "so a counter that is reset fails once. first_value is the change. 16 bytes a "
                "sensor."},
      {.field_use = FieldUse::kRequired, .kinds = {FieldKind::kNumber, FieldKind::kInteger}, .make = make_check<Increasing>});
}

}  // namespace driftd::rules
