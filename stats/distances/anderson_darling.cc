// anderson_darling: the two-sample test that looks hardest at the tails.
#include <cmath>

#include "stats/distance.h"

namespace driftd::stats {
namespace {

// The two sums over i < N of Scholz and Stephens (1987), in closed or limiting form for a large N.
constexpr double kEuler = 0.57721566490153286;
struct Constants {
  double h, g;
};
Constants constants(double total) {
  if (total > 4096) {
    return {std::log(total - 1) + kEuler + 1 / (2 * (total - 1)), M_PI * M_PI / 6 - (2 * std::log(total) + 2 * kEuler + 1) / total};
  }
  double h = 0, g = 0;
  for (double i = total - 1; i > 1; --i) {
    h += 1 / i;
    g += h / (total - i + 1);
  }
  return {h + 1, g};
}

class AndersonDarling final : public Distance {
 public:
  bool for_categories() const override { return false; }

  bool has_p_value() const override { return true; }
  bool can_be_negative() const override { return true; }  // standardised
  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    if (!reference.bins->numeric()) return Score::none("not_numeric");
    const double m = reference.n, n = current.n, total = n + m;
    if (n < 2 || m < 2) return Score::none("too_few_samples");
    Score out;
    double a2 = 0, before_m = 0, before_n = 0, worst = -1;
    int filled = 0;
    for (std::uint32_t b = 0; b < reference.counts.size(); ++b) {
      const double r = reference.counts[b], c = current.counts[b], both = r + c;
      if (both == 0) continue;
      ++filled;
      const double below = before_m + before_n + both / 2;
      const double weight = below * (total - below) - total * both / 4;
      const double dm = total * (before_m + r / 2) - below * m, dn = total * (before_n + c / 2) - below * n;
      const double part = weight > 0 ? both / total * (dm * dm / m + dn * dn / n) / weight : 0;
      a2 += part;
      if (part > worst) {
        worst = part;
        out.worst_bin = b;
      }
      before_m += r;
      before_n += c;
    }
    if (filled < 2) return Score::none("constant_reference");
    a2 *= (total - 1) / total;
    out.value = (a2 - 1) / std::sqrt(variance(m, n));
    if (p_value) out.p_value = tail(out.value);
    out.excess = a2 - 1;
    return out;
  }

 private:
  static double variance(double m, double n) {
    const double total = m + n, inverse = 1 / m + 1 / n;
    const auto [h, g] = constants(total);
    const double a = (4 * g - 6) + (10 - 6 * g) * inverse;
    const double b = (2 * g - 4) * 4 + 16 * h + (2 * g - 14 * h - 4) * inverse - 8 * h + 4 * g - 6;
    const double c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * inverse + 4 * h;
    const double d = (2 * h + 6) * 4 - 8 * h;
    return (((a * total + b) * total + c) * total + d) / ((total - 1) * (total - 2) * (total - 3));
  }
  // Scholz and Stephens' percentiles for two samples, by a parabola through the logarithms of the levels.
  static double tail(double x) {
    const double p = std::exp(kA * x * x + kB * x + kC);
    return x > -kB / (2 * kA) ? kLeast : std::min(1.0, std::max(kLeast, p));
  }
  static constexpr double kA = 0.01819809457411147, kB = -1.0082265644652515, kC = -1.077770279820484;
  static constexpr double kLeast = 1e-9;
};

}  // namespace

void register_anderson_darling(DistanceRegistry& registry) {
  registry.add({.name = "anderson_darling",
                .summary = "Anderson-Darling two-sample statistic, standardised, with midranks for ties",
                .applies_to = "number, integer, flag",
                .params = {},
                .source = "Scholz and Stephens (1987), as scipy.stats.anderson_ksamp",
                .example = "{check: distance, field: temperature, metric: anderson_darling, max: 6, p_value: 0.001}",
                .reasons = score_reasons({"too_few_samples", "not_numeric", "constant_reference"}),
                .notes = "A bin counts as a tie: exact for value bins, grouped for quantile bins. p-values come from seven tabulated "
                         "levels (0.25 to 0.001) and are extrapolated outside, where scipy caps them. A window and a reference with the "
                         "same single value: no_verdict constant_reference."},
               [](const Params&) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new AndersonDarling()); });
}

}  // namespace driftd::stats
