#include "tests/stats/distance_golden.h"

namespace driftd::stats {
namespace {

TEST(Kl, EqualsTheOracle) { expect_golden("kl"); }

TEST(Kl, DirectionMatters) {
  const Sides s = value_sides({90, 10}, {50, 50});
  EXPECT_NE(make_distance("kl")->score(s.reference(), s.current(), true).value,
            make_distance("kl", {{"direction", "current_reference"}})->score(s.reference(), s.current(), true).value);
}

}  // namespace
}  // namespace driftd::stats
