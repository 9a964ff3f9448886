#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(TotalVariation, EqualsTheOracle) { expect_golden("total_variation"); }

TEST(TotalVariation, NamesTheWorstBin) {
  const Sides s = value_sides({40, 30, 30}, {30, 15, 55});
  const Score score = make_distance("total_variation")->score(s.reference(), s.current(), true);
  EXPECT_NEAR(score.value, 0.25, 1e-12);
  EXPECT_EQ(score.worst_bin, 3U);
}

}  // namespace
}  // namespace driftd::stats
