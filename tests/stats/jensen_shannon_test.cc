#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(JensenShannon, EqualsTheOracle) { expect_golden("jensen_shannon"); }

TEST(JensenShannon, IsOneForDisjointDistributions) {
  const Sides s = value_sides({10, 0}, {0, 10});
  EXPECT_NEAR(make_distance("jensen_shannon")->score(s.reference(), s.current(), true).value, 1, 1e-12);
}

}  // namespace
}  // namespace driftd::stats
