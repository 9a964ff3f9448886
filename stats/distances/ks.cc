// ks: Kolmogorov-Smirnov, on the reference's bins.
#include <cmath>

#include "stats/distance.h"
#include "stats/kolmogorov.h"

namespace driftd::stats {
namespace {

class Ks final : public Distance {
 public:
  explicit Ks(const Params& params) : robust_(params.boolean("robust")) {}
  bool for_categories() const override { return false; }

  bool has_p_value() const override { return true; }
  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    if (!reference.bins->numeric()) return Score::none("not_numeric");
    if (current.n <= 0 || reference.n <= 0) return Score::none("too_few_samples");
    Score out;
    double f = 0, g = 0;
    for (std::uint32_t b = 0; b < reference.counts.size(); ++b) {
      f += reference.counts[b];
      g += current.counts[b];
      const double d = std::fabs(f / reference.n - g / current.n);
      if (d > out.value) {
        out.value = d;
        out.worst_bin = b;
      }
    }
    const double n = std::round(reference.n * current.n / (reference.n + current.n));
    if (p_value) out.p_value = kolmogorov_tail(out.value, std::max(1.0, n));
    if (robust_) out.value = std::max(0.0, out.value - 1.8 * std::sqrt(1 / reference.n + 1 / current.n));
    return out;
  }

 private:
  bool robust_;
};

}  // namespace

void register_ks(DistanceRegistry& registry) {
  registry.add({.name = "ks",
                .summary = "Kolmogorov-Smirnov distance: the largest difference of the distribution functions",
                .applies_to = "number, integer, flag",
                .params = {{.name = "robust",
                            .type = ParamType::kBoolean,
                            .sentence = "Subtract 1.8 sqrt(1/n + 1/m) first, as Deequ's and SageMaker's Robust method do",
                            .default_text = "false"}},
                .source = "Smirnov (1939); p-value with n' = round(nm/(n+m)) as scipy's asymptotic mode (Pelz and Good 1976)",
                .example = "{check: distance, field: temperature, metric: ks, max: 0.1}",
                .reasons = score_reasons({"too_few_samples", "not_numeric"}),
                .notes = "The largest difference at the edges of the bins: exact for value bins, else a lower bound that is at most one "
                         "bin's mass (about 1/32) below the exact one. With ties the p-value is conservative."},
               [](const Params& params) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new Ks(params)); });
}

}  // namespace driftd::stats
