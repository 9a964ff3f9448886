// stuck_value: a sensor that reports the same value again and again.
#include <cmath>

#include "rules/row_check.h"
#include "rules/sensor_states.h"

namespace driftd::rules {
namespace {

struct RunState {
  static constexpr std::size_t kBytes = 20;
  double value = 0;
  Time since = kNoTime;
  std::uint32_t length = 0;
  void save(ByteWriter& out) const {
    out.f64(value);
    out.i64(since);
    out.u32(length);
  }
  void load(ByteReader& in) {
    value = in.f64();
    since = in.i64();
    length = in.u32();
  }
};

class StuckValue final : public RowCheck {
 public:
  StuckValue(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "stuck"),
        min_run_(static_cast<std::uint32_t>(params.integer("min_run"))),
        min_duration_(params.duration("min_duration")),
        tolerance_(params.number("tolerance")) {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<StuckValue>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for_each_number(column(rows), rows.range, hits, [&](std::uint32_t r, double x) {
      RunState& run = states_.at(rows.batch.sensor[r]);
      const Time t = rows.batch.event_time[r];
      if (run.length == 0 || std::fabs(x - run.value) > tolerance_) {
        run = {x, t, 1};
        return;
      }
      if (run.length != 0xffffffffU) ++run.length;
      if (run.length >= min_run_ && t - run.since >= min_duration_) hits.fail(r, run.length);
    });
  }
  FindingKind kind() const override { return FindingKind::kFault; }
  void forget(std::uint32_t sensor) override { states_.forget(sensor); }
  void save(ByteWriter& out) const override { states_.save(out); }
  Status load(ByteReader& in) override { return states_.load(in, "stuck_value"); }

 private:
  std::uint32_t min_run_;
  Duration min_duration_;
  double tolerance_;
  SensorStates<RunState> states_;
};

}  // namespace

void register_stuck_value(CheckRegistry& registry) {
  add_row_check<StuckValue>(
      registry,
      {.name = "stuck_value",
       .summary = "No sensor repeats the same value for a long run",
       .applies_to = "number, integer",
       .params = {{.name = "min_run", .type = ParamType::kInteger, .sentence = "Equal values in a row from which on a sensor counts as stuck", .default_text = "10", .min = 2, .max = 1e9},
                  {.name = "min_duration", .type = ParamType::kDuration, .sentence = "And for at least so long, in event time", .default_text = "0"},
                  {.name = "tolerance", .type = ParamType::kNumber, .sentence = "Values that differ by at most this from the first of the run are equal", .default_text = "0", .min = 0}},
       .source = "flat line test of the QARTOD manual (US IOOS)",
       .example = "{check: stuck_value, field: vibration, min_run: 10}",
       .reasons = {{"stuck", "more than max_share of the values belong to such a run"}},
       .notes = "Choose min_run from how often the healthy sensor repeats a value, q = P(x equals the one before): with "
                "ln(n (1-q) / F) / ln(1/q) a run comes F times in n records by chance (q = 0.1: 11, q = 0.9: 211 for a "
                "million sensors a month). Nulls and NaN are not judged and do not end a run. State: 24 bytes a sensor."},
      FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger});
}

}  // namespace driftd::rules
