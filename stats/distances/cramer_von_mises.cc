// cramer_von_mises: the two-sample test on squared differences of the distribution functions.
#include <cmath>

#include "stats/distance.h"
#include "stats/kolmogorov.h"

namespace driftd::stats {
namespace {

class CramerVonMises final : public Distance {
 public:
  bool for_categories() const override { return false; }
  bool has_p_value() const override { return true; }

  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    if (!reference.bins->numeric()) return Score::none("not_numeric");
    const double m = reference.n, n = current.n, total = n + m;
    if (n < 2 || m < 2) return Score::none("too_few_samples");
    Score out;
    double f = 0, g = 0, squares = 0, mean = 0, below = 0, pairs = 0, worst = -1;
    for (std::uint32_t b = 0; b < reference.counts.size(); ++b) {
      const double both = reference.counts[b] + current.counts[b];
      if (both == 0) continue;
      f += reference.counts[b];
      g += current.counts[b];
      const double d = f / m - g / n, part = both * d * d;
      squares += part;
      if (part > worst) {
        worst = part;
        out.worst_bin = b;
      }
      // Shares of the pooled sample, as covariances are: K(i, j) = h_i (1 - h_j) for i <= j.
      const double share = both / total, h = (f + g) / total, rest = 1 - h;
      mean += share * h * rest;
      pairs += share * rest * rest * (share * h * h + 2 * below);
      below += share * h * h;
    }
    out.value = m * n / (total * total) * squares;
    mean *= total / (total - 1);  // exact, given the ties
    out.excess = out.value - mean;
    // Scaled to the mean 1/6 and variance 1/45 of the limiting law. The variance is the exact one without
    // ties (Anderson 1962), times what the ties leave of the covariances' squares.
    const double untied = (total + 1) * (4 * m * n * total - 3 * (m * m + n * n) - 2 * m * n) / (45 * total * total * 4 * m * n);
    const double squared = total * total;
    const double variance = untied * pairs * 180 * squared * squared / ((squared - 1) * (2 * squared + 7));
    if (p_value) out.p_value = variance > 0 ? cramer_von_mises_tail(1.0 / 6 + (out.value - mean) / std::sqrt(45 * variance)) : 1;
    return out;
  }
};

}  // namespace

void register_cramer_von_mises(DistanceRegistry& registry) {
  registry.add(
      {.name = "cramer_von_mises",
       .summary =
           "Cramer-von Mises two-sample statistic T, the mean squared difference of the distribution functions over the pooled sample",
       .applies_to = "number, integer, flag",
       .params = {},
       .source = "Anderson (1962); p-value from the limiting law as scipy's asymptotic method, its mean and variance those given the ties",
       .example = "{check: distance, field: temperature, metric: cramer_von_mises, max: 1, p_value: 0.001}",
       .reasons = score_reasons({"too_few_samples", "not_numeric"}),
       .notes = "The difference behind each bin counts for all of its values: exact for value bins, grouped for quantile bins. Without "
                "ties it is scipy's number; with ties it is not, as scipy's midranks give large values to equal distributions when the "
                "sides differ in size. Two constant sides are at 0 with p-value 1."},
      [](const Params&) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new CramerVonMises()); });
}

}  // namespace driftd::stats
