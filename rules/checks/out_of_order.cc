// out_of_order: records older than what their sensor has sent. 8 bytes a sensor; a few ns a row.
#include "rules/make_check.h"
#include "rules/numbers.h"
#include "rules/sensor_state.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class OutOfOrder final : public ShareCheck {
 public:
  OutOfOrder(const Params& params, const CheckContext&)
      : ShareCheck(params, "out_of_order", Measure::kValue, FindingKind::kFault), tolerance_(params.duration("tolerance")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      const Time t = rows.batch.event_time[r];
      NewestTime& newest = newest_[rows.batch.sensor[r]];
      if (t >= newest.time) [[likely]] {  // kNoTime is below every time
        newest.time = t;
      } else if (const Duration behind = between(t, newest.time); behind > tolerance_) {
        hits.fail(r, to_seconds(behind));
      }
    }
  }

  void forget(std::uint32_t sensor) override { newest_.forget(sensor); }
  void save(ByteWriter& out) const override { newest_.save(out); }
  Status load(ByteReader& in) override { return newest_.load(in, "out_of_order"); }

 private:
  Duration tolerance_;
  SensorState<NewestTime> newest_;
};

}  // namespace

void register_out_of_order(CheckRegistry& registry) {
  registry.add({.name = "out_of_order",
                .summary = "A sensor's records come in the order of their event times.",
                .applies_to = "stream",
                .params = with_share_params({{.name = "tolerance",
                                              .type = ParamType::kDuration,
                                              .sentence = "So far behind its sensor's newest record a record may be",
                                              .default_text = "0s"}}),
                .source = "the time faults of driftd's sensor-fault tests",
                .example = "- {check: out_of_order, tolerance: 2s, max_share: 0.01}",
                .reasons = with_share_reasons({{"out_of_order", "too many records older than the newest of their sensor"}}),
                .notes = "About event times, whatever the fields hold: nulls and NaN are not looked at. Equal "
                         "times are in order. No row is skipped. A clock that jumps ahead once makes all that "
                         "follows out of order until time has caught up. Records so late that their window is "
                         "closed are in no window; driftd_records_total{result=\"late\"} counts them. "
                         "first_value is how far behind, in seconds. 8 bytes a sensor."},
               {.field_use = FieldUse::kNone, .kinds = {}, .make = make_check<OutOfOrder>});
}

}  // namespace driftd::rules
