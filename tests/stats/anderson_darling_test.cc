#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(AndersonDarling, EqualsTheOracle) { expect_golden("anderson_darling", 1e-3, 1e-4); }

TEST(AndersonDarling, ASingleValueOnBothSidesHasNoScore) {
  const Sides s = value_sides({10}, {10});
  EXPECT_STREQ(make_distance("anderson_darling")->score(s.reference(), s.current(), true).no_verdict, "constant_reference");
}

}  // namespace
}  // namespace driftd::stats
