#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(ChiSquare, EqualsTheOracle) { expect_golden("chi_square"); }

TEST(ChiSquare, OneWayHasNoScoreForACategoryThatTheReferenceLacks) {
  const Sides s = value_sides({10, 0}, {5, 5});
  EXPECT_STREQ(make_distance("chi_square", {{"form", "one_way"}})->score(s.reference(), s.current(), true).no_verdict, "not_defined");
}

}  // namespace
}  // namespace driftd::stats
