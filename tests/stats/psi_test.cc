#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(Psi, EqualsTheOracle) { expect_golden("psi"); }

TEST(Psi, ItsNullMeanIsTakenOffAsExcess) {
  const Sides s = value_sides({50, 50}, {50, 50});
  const Score score = make_distance("psi")->score(s.reference(), s.current());
  EXPECT_NEAR(score.value, 0, 1e-12);
  EXPECT_NEAR(*score.excess, -1 * (0.01 + 0.01), 1e-12);
}

TEST(Psi, MergesBinsOfEqualReferenceMass) {
  const Sides fine = value_sides({10, 10, 10, 10}, {5, 15, 12, 8}), coarse = value_sides({20, 20}, {20, 20});
  const double merged = make_distance("psi", {{"bins", "2"}})->score(fine.reference(), fine.current()).value;
  EXPECT_NEAR(merged, make_distance("psi")->score(coarse.reference(), coarse.current()).value, 1e-12);
}

TEST(Psi, WithoutSmoothingAnEmptyBinHasNoScore) {
  const Sides s = value_sides({10, 10}, {20, 0});
  EXPECT_STREQ(make_distance("psi", {{"zero", "none"}})->score(s.reference(), s.current()).no_verdict, "not_defined");
}

}  // namespace
}  // namespace driftd::stats
