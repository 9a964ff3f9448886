#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(Wasserstein, EqualsTheOracle) { expect_golden("wasserstein"); }

TEST(Wasserstein, CountsTheWayBeyondTheReference) {
  Sides s = value_sides({10, 10}, {10, 0});
  s.c.back() = 10;  // ten values at 1000, far above the maximum
  s.cs.back() = 10000;
  EXPECT_NEAR(make_distance("wasserstein")->score(s.reference(), s.current(), true).value, 999.0 / 2, 1e-9);
}

TEST(Wasserstein, WithoutSumsOrSpreadSaysWhy) {
  Sides s = value_sides({10}, {10});
  EXPECT_STREQ(make_distance("wasserstein", {{"normalize", "sd"}})->score(s.reference(), s.current(), true).no_verdict,
               "constant_reference");
  s.rs.clear();
  EXPECT_STREQ(make_distance("wasserstein")->score(s.reference(), s.current(), true).no_verdict, "not_defined");
}

}  // namespace
}  // namespace driftd::stats
