// spike: values far from a sensor's recent ones that come back within a few records.
//
// The level and the scale of the recent values are kept by exponential weighting with outliers left
// out (Gelper, Fried, Croux, Robust forecasting with exponential and Holt-Winters smoothing, 2010),
// the decision is Hampel's: |x - level| > z scale. 48 bytes a sensor; some 5 ns a row.
#include <algorithm>
#include <cmath>

#include "rules/make_check.h"
#include "rules/numbers.h"
#include "rules/sensor_state.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

// Standard deviation of a normal distribution over its mean absolute deviation: sqrt(pi / 2).
constexpr double kSigmaOfMeanDeviation = 1.2533141373155003;

struct Recent {
  double level = 0;
  double scale = 0;  // mean absolute deviation from the level
  double step = 0;   // smallest change ever seen but 0: the sensor's resolution
  double last = 0;
  double worst = 0;  // largest deviation of the values that are out now
  std::uint32_t seen = 0;
  std::uint32_t out = 0;  // values in a row that are out now

  bool used() const { return seen != 0; }
  void save(ByteWriter& w) const {
    for (const double v : {level, scale, step, last, worst}) w.f64(v);
    w.u32(seen);
    w.u32(out);
  }
  void load(ByteReader& in) {
    for (double* v : {&level, &scale, &step, &last, &worst}) {
      *v = in.f64();
      if (!std::isfinite(*v)) in.fail();
    }
    seen = in.u32();
    out = in.u32();
    if (scale < 0 || step < 0) in.fail();
  }
};

class Spike final : public ShareCheck {
 public:
  Spike(const Params& params, const CheckContext& context)
      : ShareCheck(params, "spikes", Measure::kValue, FindingKind::kFault),
        field_(static_cast<std::size_t>(context.field)),
        z_(params.number("z")),
        min_jump_(params.number("min_jump")),
        within_(static_cast<std::uint32_t>(params.integer("within"))),
        window_(static_cast<std::uint32_t>(params.integer("window"))),
        weight_(2.0 / (window_ + 1.0)) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (column.cells[r] != Cell::kValid) {
        hits.skip(r);
        continue;
      }
      Recent& s = recent_[rows.batch.sensor[r]];
      if (s.seen < window_) {
        learn(s, column.numbers[r]);
        hits.skip(r);
      } else if (const double spike = judge_value(s, column.numbers[r]); spike != 0) {
        hits.fail(r, spike);
      }
    }
  }

  void forget(std::uint32_t sensor) override { recent_.forget(sensor); }
  void save(ByteWriter& out) const override { recent_.save(out); }
  Status load(ByteReader& in) override {
    if (const Status s = recent_.load(in, "spike"); !s) return s;
    for (const Recent& s : recent_.all()) {
      if (s.seen > window_ || s.out > within_) {
        return Error{ErrorCode::kCorrupt, "spike: the state of its sensors is damaged"};
      }
    }
    return {};
  }

 private:
  static void note_step(Recent& s, double x) {
    const double step = std::min(std::fabs(x - s.last), std::numeric_limits<double>::max());
    if (step > 0 && (s.step == 0 || step < s.step)) s.step = step;
    s.last = x;
  }

  // The first values of a sensor: plain means.
  static void learn(Recent& s, double x) {
    if (s.seen == 0) s.level = s.last = x;
    note_step(s, x);
    const double off = finite(x - s.level);
    s.scale += (std::fabs(off) - s.scale) / (s.seen + 1.0);
    s.level = finite(s.level + off / (s.seen + 1.0));
    ++s.seen;
  }

  // The deviation of the spike that has just ended; 0 for none.
  double judge_value(Recent& s, double x) const {
    note_step(s, x);
    const double off = finite(x - s.level);
    const double size = std::fabs(off);
    const double limit = z_ * std::max(kSigmaOfMeanDeviation * s.scale, s.step);
    if (size > limit && size > min_jump_) {
      if (size > std::fabs(s.worst)) s.worst = off;
      if (++s.out <= within_) return 0;
      s.level = x;  // it stayed there: a step to a new level, not a spike
      s.out = 0;
      s.worst = 0;
      return 0;
    }
    s.level = finite(s.level + weight_ * off);
    s.scale += weight_ * (size - s.scale);
    const double spike = s.worst;
    s.out = 0;
    s.worst = 0;
    return spike;
  }

  std::size_t field_;
  double z_;
  double min_jump_;
  std::uint32_t within_;
  std::uint32_t window_;
  double weight_;
  SensorState<Recent> recent_;
};

}  // namespace

void register_spike(CheckRegistry& registry) {
  registry.add({.name = "spike",
                .summary = "A sensor's value does not leap away from its recent ones and back.",
                .applies_to = "number, integer",
                .params = with_share_params({{.name = "z",
                                              .type = ParamType::kNumber,
                                              .sentence = "Deviation from the recent level, in standard deviations, that is a spike",
                                              .default_text = "8",
                                              .min = 1},
                                             {.name = "within",
                                              .type = ParamType::kInteger,
                                              .sentence = "A spike is back within so many values; what stays longer is a step",
                                              .default_text = "3",
                                              .min = 1,
                                              .max = 1000},
                                             {.name = "window",
                                              .type = ParamType::kInteger,
                                              .sentence = "About how many recent values make the level and the scale",
                                              .default_text = "32",
                                              .min = 4,
                                              .max = 1000000},
                                             {.name = "min_jump",
                                              .type = ParamType::kNumber,
                                              .sentence = "Deviation, in the field's unit, up to which nothing is a spike",
                                              .default_text = "0",
                                              .min = 0}}),
                .source = "Hampel identifier (Hampel 1974), level and scale by robust exponential smoothing "
                          "(Gelper, Fried, Croux 2010)",
                .example = "- {check: spike, field: vibration, z: 8}",
                .reasons = with_share_reasons({{"spikes", "too many spikes"}}),
                .notes = "The failed row is the one that came back, since only then it is a spike; "
                         "first_value is how far it had gone. Cells without a number (missing, null, wrong "
                         "type, NaN) are skipped and change nothing, and so are a sensor's first `window` "
                         "values. The scale is never below the smallest change the sensor has ever shown, so "
                         "that one step of a coarse sensor is no spike; a sensor that never moved has no "
                         "scale, and its first move is no spike either. 48 bytes a sensor."},
               {.field_use = FieldUse::kRequired, .kinds = {FieldKind::kNumber, FieldKind::kInteger}, .make = make_check<Spike>});
}

}  // namespace driftd::rules
