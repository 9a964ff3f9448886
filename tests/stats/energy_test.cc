#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(Energy, EqualsTheOracle) { expect_golden("energy"); }

TEST(Energy, TheSquaredFormIsTheSquare) {
  const Sides s = value_sides({10, 10}, {4, 16});
  const double d = make_distance("energy")->score(s.reference(), s.current(), true).value;
  EXPECT_NEAR(make_distance("energy", {{"form", "squared"}})->score(s.reference(), s.current(), true).value, d * d, 1e-12);
}

}  // namespace
}  // namespace driftd::stats
