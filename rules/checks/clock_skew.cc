// clock_skew: the sensor's clock against the clock of who took the record.
#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class ClockSkew final : public RowCheck {
 public:
  ClockSkew(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "clock_skew"), ahead_(params.duration("max_ahead")), behind_(params.duration("max_behind")) {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<ClockSkew>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      const Time arrival = rows.batch.arrival[r];
      if (arrival == kNoTime) {
        hits.skip(r);
        continue;
      }
      const Duration offset = rows.batch.event_time[r] - arrival;  // positive: the sensor's clock is ahead
      if (offset > ahead_ || offset < -behind_) hits.fail(r, to_seconds(offset));
    }
  }
  Judgement judge(const stats::Window& window, const stats::Tally& tally) const override {
    if (window.rows > 0 && tally.skipped == window.rows) return Judgement::none("no_arrival_time", 0);
    return RowCheck::judge(window, tally);
  }
  FindingKind kind() const override { return FindingKind::kFault; }

 private:
  Duration ahead_, behind_;
};

}  // namespace

void register_clock_skew(CheckRegistry& registry) {
  add_row_check<ClockSkew>(
      registry,
      {.name = "clock_skew",
       .summary = "Event times agree with the times at which records arrived",
       .applies_to = "stream",
       .params = {{.name = "max_ahead", .type = ParamType::kDuration, .sentence = "Event time may be this much after the arrival", .default_text = "5s"},
                  {.name = "max_behind", .type = ParamType::kDuration, .sentence = "Event time may be this much before the arrival: transport and buffering", .default_text = "10m"}},
       .source = "timing test of the QARTOD manual (US IOOS)",
       .example = "{check: clock_skew, max_ahead: 5s, max_behind: 10m}",
       .reasons = {{"clock_skew", "more than max_share of the records are further off"},
                   {"no_arrival_time", "the source does not say when records arrived (files)"}},
       .notes = "Arrival is Kafka's timestamp of the record, or the journal's for MQTT and HTTP; both are stored, so that a replay says the same."},
      FieldUse::kNone, {});
}

}  // namespace driftd::rules
