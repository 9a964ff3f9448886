// cramer_von_mises: the two-sample test on squared differences of the distribution functions.
#include <cmath>

#include "stats/distance.h"
#include "stats/kolmogorov.h"

namespace driftd::stats {
namespace {

// Sum over i = 1..count of (rank - before - i)^2.
double squares(double rank, double before, double count) {
  const double c = rank - before;
  return count * c * c - c * count * (count + 1) + count * (count + 1) * (2 * count + 1) / 6;
}

class CramerVonMises final : public Distance {
 public:
  bool for_categories() const override { return false; }

  Score score(const Binned& reference, const Binned& current) const override {
    if (!reference.bins->numeric()) return Score::none("not_numeric");
    const double m = reference.n, n = current.n, total = n + m;
    if (n < 2 || m < 2) return Score::none("too_few_samples");
    Score out;
    double u = 0, before_m = 0, before_n = 0, worst = -1;
    for (std::uint32_t b = 0; b < reference.counts.size(); ++b) {
      const double r = reference.counts[b], c = current.counts[b];
      const double midrank = before_m + before_n + (r + c + 1) / 2;
      u += m * squares(midrank, before_m, r) + n * squares(midrank, before_n, c);
      before_m += r;
      before_n += c;
      const double d = before_m / m - before_n / n;
      if (d * d * (r + c) > worst) {
        worst = d * d * (r + c);
        out.worst_bin = b;
      }
    }
    out.value = u / (n * m * total) - (4 * n * m - 1) / (6 * total);
    // Normalised to the mean 1/6 and variance 1/45 of the limiting law (Anderson 1962).
    const double mean = (1 + 1 / total) / 6;
    const double variance = (total + 1) * (4 * m * n * total - 3 * (m * m + n * n) - 2 * m * n) / (45 * total * total * 4 * m * n);
    out.p_value = cramer_von_mises_tail(1.0 / 6 + (out.value - mean) / std::sqrt(45 * variance));
    out.excess = out.value - mean;
    return out;
  }
};

}  // namespace

void register_cramer_von_mises(DistanceRegistry& registry) {
  registry.add({.name = "cramer_von_mises",
                .summary = "Cramer-von Mises two-sample statistic T, with midranks for ties",
                .applies_to = "number, integer, flag",
                .params = {},
                .source = "Anderson (1962); p-value from the limiting law as scipy's asymptotic method",
                .example = "{check: distance, field: temperature, metric: cramer_von_mises, max: 1, p_value: 0.001}",
                .reasons = score_reasons({"too_few_samples", "not_numeric"}),
                .notes = "A bin counts as a tie: exact for value bins, grouped for quantile bins, where the p-value is conservative."},
               [](const Params&) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new CramerVonMises()); });
}

}  // namespace driftd::stats
