// page_hinkley: a sequential test for a change of the mean.
#include <algorithm>
#include <cmath>
#include <limits>

#include "stats/detector.h"

namespace driftd::stats {
namespace {

class PageHinkley final : public Detector {
 public:
  explicit PageHinkley(const Params& params)
      : min_instances_(static_cast<std::uint64_t>(params.integer("min_instances"))),
        delta_(params.number("delta")),
        lambda_(params.number("threshold")),
        alpha_(params.number("alpha")),
        up_(params.text("mode") != "down"),
        down_(params.text("mode") != "up"),
        river_(params.text("compat") == "river") {}

  DetectorState update(double x, Duration) override {
    if (drifted_) reset();
    ++n_;
    mean_ += (x - mean_) / static_cast<double>(n_);
    const double deviation = x - mean_;
    double rise = 0, fall = 0;
    if (river_) {
      // Sums that may go below zero, against their extremes so far.
      increase_ = alpha_ * increase_ + deviation - delta_;
      decrease_ = alpha_ * decrease_ + deviation + delta_;
      least_ = std::min(least_, increase_);
      most_ = std::max(most_, decrease_);
      rise = increase_ - least_;
      fall = most_ - decrease_;
    } else {
      increase_ = std::max(0.0, alpha_ * increase_ + deviation - delta_);
      decrease_ = std::max(0.0, alpha_ * decrease_ - deviation - delta_);
      rise = increase_;
      fall = decrease_;
    }
    statistic_ = std::max(up_ ? rise : 0, down_ ? fall : 0);
    if (n_ < min_instances_) return DetectorState::kStable;
    drifted_ = statistic_ > lambda_;
    return drifted_ ? DetectorState::kDrift : DetectorState::kStable;
  }

  void reset() override {
    n_ = 0;
    mean_ = increase_ = decrease_ = statistic_ = 0;
    least_ = std::numeric_limits<double>::infinity();
    most_ = kMostAtFirst;
    drifted_ = false;
  }
  double statistic() const override { return statistic_; }
  double threshold() const override { return lambda_; }
  bool binary() const override { return false; }

  void save(ByteWriter& out) const override {
    out.u64(n_);
    for (const double v : {mean_, increase_, decrease_, least_, most_, statistic_}) out.f64(v);
    out.boolean(drifted_);
  }
  Status load(ByteReader& in) override {
    n_ = in.u64();
    for (double* v : {&mean_, &increase_, &decrease_, &least_, &most_, &statistic_}) {
      *v = in.f64();
      const bool first = v == &least_ && *v == std::numeric_limits<double>::infinity();
      if (!first && !std::isfinite(*v)) in.fail();
    }
    drifted_ = in.boolean();
    return in.done("state of detector page_hinkley");
  }

 private:
  static constexpr double kMostAtFirst = -1;  // as river starts it
  std::uint64_t min_instances_;
  double delta_, lambda_, alpha_;
  bool up_, down_, river_;
  std::uint64_t n_ = 0;
  double mean_ = 0, increase_ = 0, decrease_ = 0;
  double least_ = std::numeric_limits<double>::infinity();
  double most_ = kMostAtFirst;
  double statistic_ = 0;
  bool drifted_ = false;
};

}  // namespace

void register_page_hinkley(DetectorRegistry& registry) {
  registry.add(
      {.name = "page_hinkley",
       .summary = "Page-Hinkley test: the sum of deviations from the running mean leaves its extreme",
       .applies_to = "number, integer, flag",
       .params = {{.name = "min_instances",
                   .type = ParamType::kInteger,
                   .sentence = "Values before it judges",
                   .default_text = "30",
                   .min = 1,
                   .max = 1e9},
                  {.name = "delta",
                   .type = ParamType::kNumber,
                   .sentence = "Change of the mean that is tolerated, in the field's unit",
                   .default_text = "0.005",
                   .min = 0},
                  {.name = "threshold",
                   .type = ParamType::kNumber,
                   .sentence = "Sum at which it reports a drift (lambda), in the field's unit",
                   .default_text = "50",
                   .min = 0},
                  {.name = "alpha",
                   .type = ParamType::kNumber,
                   .sentence = "Forgetting factor of the sums",
                   .default_text = "0.9999",
                   .min = 0,
                   .max = 1},
                  {.name = "mode",
                   .type = ParamType::kChoice,
                   .sentence = "Which changes of the mean it looks for",
                   .default_text = "both",
                   .choices = {"up", "down", "both"}},
                  {.name = "compat",
                   .type = ParamType::kChoice,
                   .sentence = "published: sums held at zero; river: the same indices as river 0.26.1, sums against their extremes",
                   .default_text = "published",
                   .choices = {"published", "river"}}},
       .source = "Page (1954), Hinkley (1971)",
       .example = "{check: page_hinkley, field: residual, threshold: 50}",
       .reasons = {},
       .notes = "The threshold is in the field's unit: a field times 1000 alarms 1000 times as easily, so give it standardised values. The "
                "mean is learnt from the same values, so that slow drifts are absorbed. State: 57 bytes."},
      [](const Params& params) -> Result<std::unique_ptr<Detector>> { return std::unique_ptr<Detector>(new PageHinkley(params)); });
}

}  // namespace driftd::stats
