#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(Ks, EqualsTheOracle) { expect_golden("ks", 2e-3); }

TEST(Ks, IsALowerBoundOnCoarseBins) {
  const Sides fine = value_sides({10, 10, 10, 10}, {20, 0, 20, 0});
  EXPECT_NEAR(make_distance("ks")->score(fine.reference(), fine.current(), true).value, 0.25, 1e-12);
  const Sides coarse = value_sides({20, 20}, {20, 20});
  EXPECT_NEAR(make_distance("ks")->score(coarse.reference(), coarse.current(), true).value, 0, 1e-12);
}

}  // namespace
}  // namespace driftd::stats
