#include <algorithm>
#include <cmath>
#include <random>

#include "stats/bin_learner.h"
#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(CramerVonMises, EqualsTheOracle) { expect_golden("cramer_von_mises", 1e-6); }

TEST(CramerVonMises, EqualSidesOfDifferentSizeAreNotApart) {
  for (const double size : {3.0, 30.0, 3000.0}) {
    const Sides s = value_sides({1000, 1000, 1000, 1000}, {size, size, size, size});
    const Score score = make_distance("cramer_von_mises")->score(s.reference(), s.current(), true);
    EXPECT_NEAR(score.value, 0, 1e-9);
    EXPECT_GT(score.p_value.value_or(0), 0.9);
  }
}

// On quantile bins it is what the values themselves give, but for what the bins hide.
TEST(CramerVonMises, QuantileBinsCostLittle) {
  std::mt19937 random(11);
  for (const double shift : {0.0, 0.2, 1.0}) {
    std::normal_distribution<double> before(0, 1), after(shift, 1);
    std::vector<double> x(10000), y(300);
    for (double& v : x) v = before(random);
    for (double& v : y) v = after(random);
    BinLearner learner(FieldKind::kNumber);
    for (const double v : x) learner.add(v);
    Sides s;
    s.bins = learner.learn();
    ASSERT_EQ(s.bins.kind, Bins::Kind::kQuantile);
    s.r.assign(s.bins.size(), 0);
    s.c.assign(s.bins.size(), 0);
    for (const double v : x) ++s.r[s.bins.bin_of(v)];
    for (const double v : y) ++s.c[s.bins.bin_of(v)];
    std::sort(x.begin(), x.end());
    std::sort(y.begin(), y.end());
    double exact = 0;
    for (const auto* sample : {&x, &y}) {
      for (const double v : *sample) {
        const auto share = [&](const std::vector<double>& all) {
          return static_cast<double>(std::upper_bound(all.begin(), all.end(), v) - all.begin()) / static_cast<double>(all.size());
        };
        exact += std::pow(share(x) - share(y), 2);
      }
    }
    exact *= 300.0 * 10000 / (10300.0 * 10300);
    const Score score = make_distance("cramer_von_mises")->score(s.reference(), s.current(), true);
    EXPECT_NEAR(score.value, exact, 0.01 + 0.02 * exact) << shift;
    EXPECT_GE(*score.p_value, shift == 0 ? 0.01 : 0) << shift;
    EXPECT_LE(*score.p_value, shift == 1 ? 1e-6 : 1) << shift;
  }
}

TEST(CramerVonMises, NeedsTwoValuesOnEachSide) {
  const Sides s = value_sides({10, 10}, {1, 0});
  EXPECT_STREQ(make_distance("cramer_von_mises")->score(s.reference(), s.current(), true).no_verdict, "too_few_samples");
}

}  // namespace
}  // namespace driftd::stats
