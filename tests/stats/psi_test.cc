#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(Psi, EqualsTheOracle) { expect_golden("psi"); }

TEST(Psi, ItsNullMeanIsTakenOffAsExcess) {
  const Sides s = value_sides({50, 50}, {50, 50});
  const Score score = make_distance("psi")->score(s.reference(), s.current(), true);
  EXPECT_NEAR(score.value, 0, 1e-12);
  EXPECT_NEAR(*score.excess, -1 * (0.01 + 0.01), 1e-12);
}

TEST(Psi, MergesBinsOfEqualReferenceMass) {
  const Sides fine = value_sides({10, 10, 10, 10}, {5, 15, 12, 8}), coarse = value_sides({20, 20}, {20, 20});
  const double merged = make_distance("psi", {{"bins", "2"}})->score(fine.reference(), fine.current(), true).value;
  EXPECT_NEAR(merged, make_distance("psi")->score(coarse.reference(), coarse.current(), true).value, 1e-12);
}

TEST(Psi, MergedBinsLookTheSameFromBothEnds) {
  Sides s = value_sides(std::vector<double>(40, 50), std::vector<double>(40, 5));
  s.c.back() = 100;  // above the reference's maximum
  const double above = make_distance("psi", {{"bins", "10"}})->score(s.reference(), s.current(), true).value;
  std::swap(s.c.front(), s.c.back());
  const double below = make_distance("psi", {{"bins", "10"}})->score(s.reference(), s.current(), true).value;
  EXPECT_NEAR(above, below, 1e-12);
  EXPECT_GT(above, 0.3);
}

TEST(Psi, AValueWithMoreThanABinsMassDoesNotKeepTheNextFromMerging) {
  // 4 bins of 100: the atom fills three of them, what follows is one.
  const Sides s = value_sides({10, 290, 25, 25, 25, 25}, {10, 290, 50, 0, 50, 0});
  EXPECT_LT(make_distance("psi", {{"bins", "4"}})->score(s.reference(), s.current(), true).value, 1e-6);
}

TEST(Psi, WithoutSmoothingAnEmptyBinHasNoScore) {
  const Sides s = value_sides({10, 10}, {20, 0});
  EXPECT_STREQ(make_distance("psi", {{"zero", "none"}})->score(s.reference(), s.current(), true).no_verdict, "not_defined");
}

}  // namespace
}  // namespace driftd::stats
