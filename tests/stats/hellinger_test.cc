#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(Hellinger, EqualsTheOracle) { expect_golden("hellinger"); }

TEST(Hellinger, IsOneForDisjointDistributions) {
  const Sides s = value_sides({10, 0}, {0, 10});
  EXPECT_NEAR(make_distance("hellinger")->score(s.reference(), s.current(), true).value, 1, 1e-12);
}

}  // namespace
}  // namespace driftd::stats
