// rate_of_change: a sensor's value changes faster than it can. 16 bytes a sensor; a few ns a row.
#include <cmath>

#include "rules/make_check.h"
#include "rules/numbers.h"
#include "rules/sensor_state.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

struct Last {
  double value = 0;
  Time time = kNoTime;
  bool used() const { return time != kNoTime; }
  void save(ByteWriter& out) const {
    out.f64(value);
    out.i64(time);
  }
  void load(ByteReader& in) {
    value = in.f64();
    time = in.time();
    if (!std::isfinite(value)) in.fail();
  }
};

class RateOfChange final : public ShareCheck {
 public:
  RateOfChange(const Params& params, const CheckContext& context)
      : ShareCheck(params, "too_fast", Measure::kValue, FindingKind::kFault),
        field_(static_cast<std::size_t>(context.field)),
        max_(params.number("max")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (column.cells[r] != Cell::kValid) {
        hits.skip(r);
        continue;
      }
      const Time t = rows.batch.event_time[r];
      const double x = column.numbers[r];
      Last& last = last_[rows.batch.sensor[r]];
      const bool later = last.used() && t > last.time;
      if (!later) hits.skip(r);
      if (last.used() && !later) continue;
      if (later) {
        const double rate = (x - last.value) / to_seconds(between(last.time, t));
        if (std::fabs(rate) > max_) hits.fail(r, finite(rate));
      }
      last = {x, t};
    }
  }

  void forget(std::uint32_t sensor) override { last_.forget(sensor); }
  void save(ByteWriter& out) const override { last_.save(out); }
  Status load(ByteReader& in) override { return last_.load(in, "rate_of_change"); }

 private:
  std::size_t field_;
  double max_;
  SensorState<Last> last_;
};

}  // namespace

void register_rate_of_change(CheckRegistry& registry) {
  registry.add({.name = "rate_of_change",
                .summary = "A sensor's value changes by no more than max a second.",
                .applies_to = "number, integer",
                .params = with_share_params({{.name = "max",
                                              .type = ParamType::kNumber,
                                              .sentence = "Largest change allowed, up or down, in the "
                                                          "field's unit a second",
                                              .required = true,
                                              .min = 0}}),
                .source = "rate-of-change test of QARTOD (IOOS, Manual for Real-Time Quality Control)",
                .example = "- {check: rate_of_change, field: temperature, max: 0.5}",
                .reasons = with_share_reasons({{"too_fast", "too many changes faster than max"}}),
                .notes = "Cells without a number (missing, null, wrong type, NaN) are skipped and change "
                         "nothing, so the next value is compared with the last one that was there. Also "
                         "skipped: a sensor's first value, and records that are not later than the newest of "
                         "their sensor. A single wrong value fails twice, there and back; use spike to find "
                         "it once. first_value is the rate with its sign. 16 bytes a sensor."},
               {.field_use = FieldUse::kRequired, .kinds = {FieldKind::kNumber, FieldKind::kInteger}, .make = make_check<RateOfChange>});
}

}  // namespace driftd::rules
