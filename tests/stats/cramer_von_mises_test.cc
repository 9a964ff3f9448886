#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(CramerVonMises, EqualsTheOracle) { expect_golden("cramer_von_mises", 1e-6); }

TEST(CramerVonMises, NeedsTwoValuesOnEachSide) {
  const Sides s = value_sides({10, 10}, {1, 0});
  EXPECT_STREQ(make_distance("cramer_von_mises")->score(s.reference(), s.current()).no_verdict, "too_few_samples");
}

}  // namespace
}  // namespace driftd::stats
