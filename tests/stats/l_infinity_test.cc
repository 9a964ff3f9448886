#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(LInfinity, EqualsTheOracle) { expect_golden("l_infinity"); }

TEST(LInfinity, AnswersWithTheOneBinThatMoved) {
  const Sides s = value_sides({400, 300, 300}, {40, 10, 50});
  const Score score = make_distance("l_infinity")->score(s.reference(), s.current(), true);
  EXPECT_NEAR(score.value, 0.2, 1e-12);
  EXPECT_LT(*score.p_value, 0.001);
  const Score same = make_distance("l_infinity")->score(s.reference(), s.reference(), true);
  EXPECT_EQ(same.value, 0);
  EXPECT_EQ(*same.p_value, 1);
}

}  // namespace
}  // namespace driftd::stats
