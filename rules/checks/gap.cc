// gap: too long between two records of a sensor, or a sensor that fell silent. 8 bytes a sensor;
// a few ns a row, and one pass over all sensors at the end of each base window.
#include "rules/make_check.h"
#include "rules/numbers.h"
#include "rules/sensor_state.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class Gap final : public ShareCheck {
 public:
  Gap(const Params& params, const CheckContext&)
      : ShareCheck(params, "gap", Measure::kValue, FindingKind::kFault),
        max_(params.duration("max")),
        forget_after_(params.duration("forget_after")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      const Time t = rows.batch.event_time[r];
      NewestTime& newest = newest_[rows.batch.sensor[r]];
      if (!newest.used()) {
        hits.skip(r);
        newest.time = t;
      } else if (t > newest.time) {
        const Duration gap = between(newest.time, t);
        if (gap > max_) hits.fail(r, to_seconds(gap));
        newest.time = t;
      }
    }
  }

  // The record after a silence is as good as any.
  bool blames_rows() const override { return false; }

  void on_close(Time /*start*/, Time end, std::vector<SensorHit>& silent) override {
    std::vector<NewestTime>& all = newest_.all();
    for (std::uint32_t sensor = 0; sensor < all.size(); ++sensor) {
      NewestTime& newest = all[sensor];
      if (!newest.used() || newest.time >= end) continue;
      const Duration silence = between(newest.time, end);
      if (silence <= max_) continue;
      if (silence > forget_after_) {
        newest = NewestTime();
      } else {
        silent.push_back({sensor, newest.time, to_seconds(silence)});
      }
    }
  }

  void forget(std::uint32_t sensor) override { newest_.forget(sensor); }
  void save(ByteWriter& out) const override { newest_.save(out); }
  Status load(ByteReader& in) override { return newest_.load(in, "gap"); }

 private:
  Duration max_;
  Duration forget_after_;
  SensorState<NewestTime> newest_;
};

Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
  if (params.duration("forget_after") <= params.duration("max")) {
    return Error{ErrorCode::kInvalidArgument, "'forget_after' is not above 'max': silence would never be found"};
  }
  return make_check<Gap>(params, context);
}

}  // namespace

void register_gap(CheckRegistry& registry) {
  registry.add({.name = "gap",
                .summary = "A sensor sends at least every max; also finds one that sends nothing any more.",
                .applies_to = "stream",
                .params = with_share_params({{.name = "max",
                                              .type = ParamType::kDuration,
                                              .sentence = "Longest time allowed between two records of a sensor",
                                              .required = true,
                                              .min = 0.001},
                                             {.name = "forget_after",
                                              .type = ParamType::kDuration,
                                              .sentence = "A sensor that is silent for longer is given up: taken down, not broken",
                                              .default_text = "7d"}}),
                .source = "timing/gap test of QARTOD (IOOS, Manual for Real-Time Quality Control)",
                .example = "- {check: gap, max: 30s, severity: critical}",
                .reasons = with_share_reasons({{"gap", "a sensor was silent for longer than max"}}),
                .notes = "About records, whatever their fields hold: nulls and NaN are not looked at. Fails "
                         "the first record after a gap and, at the end of every base window, every sensor "
                         "silent for longer than max then, again in each window until it sends or is given "
                         "up. Time is event time, and passes with the records of the sensor's partition: "
                         "windows that end only with the record that ends the silence do not show it, that "
                         "record does. Records not later than the newest of their sensor change nothing. A sensor's first record is "
                         "skipped. A sensor that never sent is not known "
                         "and not missed: use count. first_value is the gap in seconds; a silent sensor has "
                         "no first_source, and counts as a judged row where there are fewer rows than "
                         "failures. 8 bytes a sensor."},
               {.field_use = FieldUse::kNone, .kinds = {}, .make = make});
}

}  // namespace driftd::rules
