// rate_of_change: how fast a sensor's value moves.
#include <cmath>

#include "rules/row_check.h"
#include "rules/sensor_states.h"

namespace driftd::rules {
namespace {

struct Point {
  static constexpr std::size_t kBytes = 16;
  double value = 0;
  Time time = kNoTime;
  void save(ByteWriter& out) const {
    out.f64(value);
    out.i64(time);
  }
  void load(ByteReader& in) {
    value = in.f64();
    time = in.i64();
  }
};

class RateOfChange final : public RowCheck {
 public:
  RateOfChange(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "too_fast"), max_(params.number("max_per_second")) {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<RateOfChange>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for_each_number(column(rows), rows.range, hits, [&](std::uint32_t r, double x) {
      Point& last = states_.at(rows.batch.sensor[r]);
      const Time t = rows.batch.event_time[r];
      if (last.time == kNoTime || t <= last.time) {
        hits.skip(r);
        if (last.time != kNoTime) return;  // out of order: compare the next one with the newest still
      } else {
        const double rate = std::fabs(x - last.value) / to_seconds(t - last.time);
        if (rate > max_) hits.fail(r, rate);
      }
      last = {x, t};
    });
  }
  void forget(std::uint32_t sensor) override { states_.forget(sensor); }
  void save(ByteWriter& out) const override { states_.save(out); }
  Status load(ByteReader& in) override { return states_.load(in, "rate_of_change"); }

 private:
  double max_;
  SensorStates<Point> states_;
};

}  // namespace

void register_rate_of_change(CheckRegistry& registry) {
  add_row_check<RateOfChange>(
      registry,
      {.name = "rate_of_change",
       .summary = "A sensor's value does not move faster than physics allows",
       .applies_to = "number, integer",
       .params = {{.name = "max_per_second", .type = ParamType::kNumber, .sentence = "Greatest change a second of event time, in the field's unit", .required = true, .min = 0}},
       .source = "rate of change test of the QARTOD manual (US IOOS)",
       .example = "{check: rate_of_change, field: temperature, max_per_second: 0.5}",
       .reasons = {{"too_fast", "more than max_share of the steps are faster"}},
       .notes = "From one record of a sensor to its next one in event time; nulls, NaN, records out of order or at the same time are not judged. State: 16 bytes a sensor."},
      FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger});
}

}  // namespace driftd::rules
