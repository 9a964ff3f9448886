// ddm: drift detection method, for streams of errors (1) and successes (0).
#include <cmath>
#include <limits>

#include "stats/detector.h"

namespace driftd::stats {
namespace {

class Ddm final : public Detector {
 public:
  explicit Ddm(const Params& params)
      : warm_start_(static_cast<std::uint64_t>(params.integer("warm_start"))),
        warning_(params.number("warning")),
        drift_(params.number("drift")),
        river_(params.text("compat") == "river") {}

  DetectorState update(double x, Duration) override {
    if (drifted_) reset();
    ++n_;
    p_ += (x - p_) / static_cast<double>(n_);
    const double s = std::sqrt(p_ * (1 - p_) / static_cast<double>(n_));
    if (river_ ? n_ <= warm_start_ : n_ < warm_start_) return DetectorState::kStable;
    if (p_ + s <= p_min_ + s_min_) {
      p_min_ = p_;
      s_min_ = s;
    }
    statistic_ = p_ + s;
    drifted_ = statistic_ > p_min_ + drift_ * s_min_;
    if (drifted_) return DetectorState::kDrift;
    return statistic_ > p_min_ + warning_ * s_min_ ? DetectorState::kWarning : DetectorState::kStable;
  }

  void reset() override {
    n_ = 0;
    p_ = statistic_ = 0;
    p_min_ = s_min_ = std::numeric_limits<double>::infinity();
    drifted_ = false;
  }
  double statistic() const override { return statistic_; }
  double threshold() const override { return std::isfinite(p_min_) ? p_min_ + drift_ * s_min_ : 0; }
  bool binary() const override { return true; }

  void save(ByteWriter& out) const override {
    out.u64(n_);
    for (const double v : {p_, p_min_, s_min_, statistic_}) out.f64(v);
    out.boolean(drifted_);
  }
  Status load(ByteReader& in) override {
    n_ = in.u64();
    for (double* v : {&p_, &p_min_, &s_min_, &statistic_}) *v = in.f64();
    drifted_ = in.boolean();
    const bool judged = p_min_ >= 0 && p_min_ <= 1 && s_min_ >= 0 && s_min_ <= 0.5;
    const bool waits = std::isinf(p_min_) && p_min_ > 0 && std::isinf(s_min_) && s_min_ > 0;
    if (!(p_ >= 0 && p_ <= 1) || !(judged || waits) || !(statistic_ >= 0 && statistic_ <= 1.5)) in.fail();
    return in.done("state of detector ddm");
  }

 private:
  std::uint64_t warm_start_;
  double warning_, drift_;
  bool river_;
  std::uint64_t n_ = 0;
  double p_ = 0;
  double p_min_ = std::numeric_limits<double>::infinity();
  double s_min_ = std::numeric_limits<double>::infinity();
  double statistic_ = 0;
  bool drifted_ = false;
};

}  // namespace

void register_ddm(DetectorRegistry& registry) {
  registry.add({.name = "ddm",
                .summary = "Drift detection method: the error rate rises above its best by three standard errors",
                .applies_to = "flag, integer (0 or 1; 1 is an error)",
                .params = {{.name = "warm_start",
                            .type = ParamType::kInteger,
                            .sentence = "Values before it judges",
                            .default_text = "30",
                            .min = 1,
                            .max = 1e9},
                           {.name = "warning",
                            .type = ParamType::kNumber,
                            .sentence = "Standard errors above the best for a warning",
                            .default_text = "2",
                            .min = 0,
                            .max = 100},
                           {.name = "drift",
                            .type = ParamType::kNumber,
                            .sentence = "Standard errors above the best for a drift",
                            .default_text = "3",
                            .min = 0,
                            .max = 100},
                           {.name = "compat",
                            .type = ParamType::kChoice,
                            .sentence = "published, or the same indices as river 0.26.1, which judges one value later",
                            .default_text = "published",
                            .choices = {"published", "river"}}},
                .source = "Gama, Medas, Castillo, Rodrigues, Learning with Drift Detection, SBIA 2004",
                .example = "{check: ddm, field: prediction_wrong}",
                .reasons = {},
                .notes = "Sees rises only. In a quarter of stable streams with an error rate of 0.2 it gives a false alarm within 1000 "
                         "values; no guarantee. State: 41 bytes."},
               [](const Params& params) -> Result<std::unique_ptr<Detector>> {
                 if (params.number("warning") > params.number("drift"))
                   return Error{ErrorCode::kInvalidArgument, "'warning' is above 'drift'"};
                 return std::unique_ptr<Detector>(new Ddm(params));
               });
}

}  // namespace driftd::stats
