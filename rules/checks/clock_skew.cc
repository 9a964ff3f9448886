// clock_skew: the time between a record's event and its arrival. Stateless; about 1 ns a row.
#include "rules/make_check.h"
#include "rules/numbers.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class ClockSkew final : public ShareCheck {
 public:
  ClockSkew(const Params& params, const CheckContext&)
      : ShareCheck(params, "clock_skew", Measure::kValue, FindingKind::kFault),
        max_ahead_(params.duration("max_ahead")),
        max_behind_(params.duration("max_behind")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Time* event = rows.batch.event_time.data();
    const Time* arrival = rows.batch.arrival.data();
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (arrival[r] == kNoTime) {
        hits.skip(r);
        continue;
      }
      const Duration behind = between(event[r], arrival[r]);
      if (behind < -max_ahead_ || behind > max_behind_) hits.fail(r, to_seconds(behind));
    }
  }

  Judgement judge(const stats::Window& window, const stats::Tally& tally) const override {
    if (window.rows != 0 && tally.skipped >= window.rows) {
      return Judgement::none("no_arrival_time", 0);
    }
    return ShareCheck::judge(window, tally);
  }

 private:
  Duration max_ahead_;
  Duration max_behind_;
};

}  // namespace

void register_clock_skew(CheckRegistry& registry) {
  registry.add({.name = "clock_skew",
                .summary = "A record's event time is near the time at which the source took it.",
                .applies_to = "stream",
                .params = with_share_params({{.name = "max_ahead",
                                              .type = ParamType::kDuration,
                                              .sentence = "So far the event time may be ahead of the arrival",
                                              .default_text = "10s"},
                                             {.name = "max_behind",
                                              .type = ParamType::kDuration,
                                              .sentence = "So far the event time may be behind the arrival",
                                              .default_text = "1h"}}),
                .source = "the time faults of driftd's sensor-fault tests",
                .example = "- {check: clock_skew, max_ahead: 5s, max_behind: 10m}",
                .reasons = with_share_reasons({{"clock_skew", "too many event times too far ahead of or behind the arrival"},
                                               {"no_arrival_time", "the source does not say when it took any of the records"}}),
                .notes = "About times, whatever the fields hold: nulls and NaN are not looked at. Arrival is "
                         "what the source keeps with the record (Kafka's timestamp, the journal's), so a "
                         "replay from there judges the same; files have none. Records without it are "
                         "skipped. With CreateTime topics Kafka's timestamp is the producer's clock. "
                         "first_value is arrival minus event time in seconds, negative when the event is "
                         "ahead. Records ahead by more than decode.max_future are rejected before."},
               {.field_use = FieldUse::kNone, .kinds = {}, .make = make_check<ClockSkew>});
}

}  // namespace driftd::rules
