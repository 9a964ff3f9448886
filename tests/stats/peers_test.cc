// Our distances and the numbers that Evidently, NannyML and TFDV report of the same data on the same bins
// (scripts/golden/peers.py), with the parameters that docs/UNITS.md names for each.
#include <algorithm>
#include <set>

#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

struct Tolerances {
  double value = 1e-9;
  double p_value = 1e-9;
};

// The formulas are equal, and so are the numbers, but for two.
Tolerances tolerances(const std::string& tool, const std::string& metric, const Sides& sides) {
  Tolerances out;
  if (metric == "ks") {
    // scipy, whose p-value Evidently reports, has the exact law up to 10,000 rows, which its asymptotic one and ours
    // are 0.021 away from with 100 rows a side. With more rows it is the asymptotic one there too.
    const double rows = std::max(sides.reference().n, sides.current().n);
    out.p_value = rows > 10000 ? 1e-7 : 0.025;
  }
  if (metric == "kl" && tool == "evidently") {
    // Evidently fills in 0.0001 also where both sides are empty, and then divides both by their sums; we leave such
    // bins out.
    int empty = 0;
    for (std::size_t b = 0; b < sides.r.size(); ++b) empty += sides.r[b] == 0 && sides.c[b] == 0;
    out.value += 0.0001 * empty;
  }
  return out;
}

// Compares all of a tool's numbers; the metrics that it has.
std::set<std::string> compare(const std::string& tool) {
  std::set<std::string> compared;
  for (const auto& c : golden_cases("peers_" + tool)) {
    const Sides sides = read_sides(c);
    for (const auto& expect : c["expect"]) {
      const std::string metric = expect[0];
      const std::string where = tool + "'s " + metric + " on " + c["name"].get<std::string>() + " " + expect[3].dump();
      const Score score = score_golden(sides, expect);
      if (metric == "chi_square" && expect[2] == 0.0) {
        // A category that the reference lacks: infinite for Evidently, and so certain.
        EXPECT_STREQ(score.no_verdict, "not_defined") << where;
        continue;
      }
      const auto [tolerance, p_tolerance] = tolerances(tool, metric, sides);
      expect_score(score, expect, tolerance, p_tolerance, where);
      compared.insert(metric);
    }
  }
  return compared;
}

using Metrics = std::set<std::string>;

TEST(Peers, EvidentlyReportsTheSame) {
  EXPECT_EQ(compare("evidently"), (Metrics{"anderson_darling", "chi_square", "cramer_von_mises", "energy", "hellinger", "jensen_shannon",
                                           "kl", "ks", "psi", "wasserstein"}));
}

TEST(Peers, NannyMlReportsTheSame) {
  EXPECT_EQ(compare("nannyml"), (Metrics{"chi_square", "hellinger", "jensen_shannon", "ks", "l_infinity", "wasserstein"}));
}

TEST(Peers, TfdvReportsTheSame) { EXPECT_EQ(compare("tfdv"), (Metrics{"jensen_shannon", "l_infinity"})); }

}  // namespace
}  // namespace driftd::stats
