// wasserstein: how far, on average, values have to move (earth mover's distance).
#include <cmath>

#include "stats/atoms.h"

namespace driftd::stats {
namespace {

class Wasserstein final : public Distance {
 public:
  explicit Wasserstein(const Params& params) : normalize_(params.text("normalize")) {}
  bool for_categories() const override { return false; }
  bool needs_sums() const override { return true; }

  Score score(const Binned& reference, const Binned& current, bool) const override {
    if (!reference.bins->numeric()) return Score::none("not_numeric");
    if (current.n <= 0 || reference.n <= 0) return Score::none("too_few_samples");
    double scale = 1;
    if (normalize_ == "sd") scale = reference.moments.stddev(0);
    if (normalize_ == "evidently") scale = std::max(reference.moments.stddev(0), 0.001);
    if (scale <= 0) return Score::none("constant_reference");
    if (!std::isfinite(scale)) return Score::none("overflow");
    Score out;
    double worst = -1;
    const bool known = for_each_gap(reference, current, [&](double gap, double difference, std::uint32_t bin) {
      const double part = gap * std::fabs(difference);
      out.value += part / scale;
      if (part > worst) {
        worst = part;
        out.worst_bin = bin;
      }
    });
    if (!known) return Score::none("not_defined");
    return std::isfinite(out.value) ? out : Score::none("overflow");
  }

 private:
  std::string normalize_;
};

}  // namespace

void register_wasserstein(DistanceRegistry& registry) {
  registry.add(
      {.name = "wasserstein",
       .summary = "Wasserstein-1 distance: the mean way that mass has to move, in the field's unit",
       .applies_to = "number, integer, flag",
       .params = {{.name = "normalize",
                   .type = ParamType::kChoice,
                   .sentence = "none: the field's unit, as in NannyML and scipy; sd: reference standard deviations (n); evidently: the "
                               "same with a floor of 0.001",
                   .default_text = "none",
                   .choices = {"none", "sd", "evidently"}}},
       .source = "Vallender (1974): the integral of |F - G|",
       .example = "{check: distance, field: temperature, metric: wasserstein, normalize: sd, max: 0.1}",
       .reasons = score_reasons({"too_few_samples", "not_numeric", "constant_reference", "not_defined", "overflow"}),
       .notes = "Each bin's mass stands at its own mean on both sides: exact for value bins; else off by at most the sum of min(p, q) "
                "times the width of the bins. No p-value: its null law is not free of the distribution."},
      [](const Params& params) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new Wasserstein(params)); });
}

}  // namespace driftd::stats
