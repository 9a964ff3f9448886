// gap: a sensor that stays silent for too long, found although no record comes.
#include "rules/row_check.h"
#include "rules/sensor_states.h"

namespace driftd::rules {
namespace {

struct LastSeen {
  static constexpr std::size_t kBytes = 8;
  Time time = kNoTime;
  void save(ByteWriter& out) const { out.i64(time); }
  void load(ByteReader& in) { time = in.i64(); }
};

class Gap final : public RowCheck {
 public:
  Gap(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "silent"), max_(params.duration("max")), forget_after_(params.duration("forget_after")) {}
  static Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
    if (params.duration("forget_after") <= params.duration("max")) {
      return Error{ErrorCode::kInvalidArgument, "forget_after must be longer than max"};
    }
    return make_check<Gap>(params, context);
  }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      Time& last = states_.at(rows.batch.sensor[r]).time;
      const Time t = rows.batch.event_time[r];
      if (last != kNoTime && t - last > max_) hits.fail(r, to_seconds(t - last));
      last = std::max(last, t);
    }
  }

  void on_close(Time, Time end, std::vector<SensorHit>& silent) override {
    for (std::uint32_t s = 0; s < states_.size(); ++s) {
      Time& last = states_.at(s).time;
      if (last == kNoTime || end - last <= max_) continue;
      if (end - last > forget_after_) {
        last = kNoTime;
      } else {
        silent.push_back({s, last, to_seconds(end - last)});
      }
    }
  }
  FindingKind kind() const override { return FindingKind::kFault; }
  void forget(std::uint32_t sensor) override { states_.forget(sensor); }
  void save(ByteWriter& out) const override { states_.save(out); }
  Status load(ByteReader& in) override { return states_.load(in, "gap"); }

 private:
  Duration max_, forget_after_;
  SensorStates<LastSeen> states_;
};

}  // namespace

void register_gap(CheckRegistry& registry) {
  add_row_check<Gap>(
      registry,
      {.name = "gap",
       .summary = "No sensor is silent for longer than max",
       .applies_to = "stream",
       .params = {{.name = "max", .type = ParamType::kDuration, .sentence = "Longest time between two records of a sensor, in event time", .required = true, .min = 0.001},
                  {.name = "forget_after", .type = ParamType::kDuration, .sentence = "A sensor silent for longer was taken away and is no longer waited for", .default_text = "7d"}},
       .source = "gap test of the QARTOD manual (US IOOS)",
       .example = "{check: gap, max: 30s}",
       .reasons = {{"silent", "records came after a longer silence, or a sensor is silent at the window's end"}},
       .notes = "A record after a silence counts in its own window; a sensor that is still silent when a window closes counts in that window, again and "
                "again until it speaks or is forgotten. A sensor is known from its first record on. State: 8 bytes a sensor."},
      FieldUse::kNone, {});
}

}  // namespace driftd::rules
