// stuck_value: a sensor that repeats itself. 24 bytes a sensor; a few ns a row.
#include <cmath>

#include "rules/make_check.h"
#include "rules/numbers.h"
#include "rules/sensor_state.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

struct Run {
  double value = 0;  // that the run began with
  Time since = 0;
  std::uint32_t length = 0;
  bool used() const { return length != 0; }
  void save(ByteWriter& out) const {
    out.f64(value);
    out.i64(since);
    out.u32(length);
  }
  void load(ByteReader& in) {
    value = in.f64();
    since = in.time();
    length = in.u32();
    if (!std::isfinite(value)) in.fail();
  }
};

class StuckValue final : public ShareCheck {
 public:
  StuckValue(const Params& params, const CheckContext& context)
      : ShareCheck(params, "stuck", Measure::kValue, FindingKind::kFault),
        field_(static_cast<std::size_t>(context.field)),
        min_run_(static_cast<std::uint32_t>(params.integer("min_run"))),
        min_duration_(params.duration("min_duration")),
        tolerance_(params.number("tolerance")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (column.cells[r] != Cell::kValid) {
        hits.skip(r);
        continue;
      }
      const double x = column.numbers[r];
      Run& run = runs_[rows.batch.sensor[r]];
      if (run.length == 0 || !(std::fabs(x - run.value) <= tolerance_)) {
        run = {x, rows.batch.event_time[r], 1};
        continue;
      }
      if (run.length < std::numeric_limits<std::uint32_t>::max()) ++run.length;
      if (run.length < min_run_) [[likely]]
        continue;
      const bool long_enough = min_duration_ == 0 || between(run.since, rows.batch.event_time[r]) >= min_duration_;
      if (long_enough) hits.fail(r, run.length);
    }
  }

  void forget(std::uint32_t sensor) override { runs_.forget(sensor); }
  void save(ByteWriter& out) const override { runs_.save(out); }
  Status load(ByteReader& in) override { return runs_.load(in, "stuck_value"); }

 private:
  std::size_t field_;
  std::uint32_t min_run_;
  Duration min_duration_;
  double tolerance_;
  SensorState<Run> runs_;
};

}  // namespace

void register_stuck_value(CheckRegistry& registry) {
  registry.add({.name = "stuck_value",
                .summary = "A sensor does not repeat the same value again and again.",
                .applies_to = "number, integer",
                .params = with_share_params({{.name = "min_run",
                                              .type = ParamType::kInteger,
                                              .sentence = "So many equal values in a row are a stuck sensor",
                                              .default_text = "10",
                                              .min = 2,
                                              .max = 1000000000},
                                             {.name = "min_duration",
                                              .type = ParamType::kDuration,
                                              .sentence = "And only when they last so long in event time",
                                              .default_text = "0s"},
                                             {.name = "tolerance",
                                              .type = ParamType::kNumber,
                                              .sentence = "Values count as equal up to this difference from the run's first one",
                                              .default_text = "0",
                                              .min = 0}}),
                .source = "flat-line test of QARTOD (IOOS, Manual for Real-Time Quality Control)",
                .example = "- {check: stuck_value, field: vibration, min_run: 20}",
                .reasons = with_share_reasons({{"stuck", "too many values in runs of equal ones"}}),
                .notes = "Every value from the min_run-th on fails; first_value and worst are lengths of runs. "
                         "Cells without a number (missing, null, wrong type, NaN) are skipped and do not end a "
                         "run. How long a run must be: when a healthy sensor repeats a value with probability q, "
                         "a run of L comes at a rate of (1-q)q^L a value, so F false alarms in N values need L = "
                         "ln(N(1-q)/F)/ln(1/q). For one in 10^9 values (ten sensors at 1/s for three years) that "
                         "is 9 for q = 0.1, 29 for q = 0.5 and 175 for q = 0.9; also stay above twice the "
                         "longest "
                         "run of the reference. Coarse or slow sensors need a larger min_run than the default. "
                         "24 bytes a sensor."},
               {.field_use = FieldUse::kRequired, .kinds = {FieldKind::kNumber, FieldKind::kInteger}, .make = make_check<StuckValue>});
}

}  // namespace driftd::rules
