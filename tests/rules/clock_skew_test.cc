#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(ClockSkew, ComparesEventTimeWithArrival) {
  Harness h("clock_skew", {{"max_ahead", "5s"}, {"max_behind", "1m"}}, {number_field()}, -1);
  h.feed({{"a", 5 * kSecond, {1}, 0}, {"a", 6 * kSecond, {1}, 0}, {"a", 0, {1}, kMinute}, {"a", 0, {1}, kMinute + 1}, {"a", 0, {1}}});
  EXPECT_EQ(h.failed, (U{1, 3}));
  EXPECT_EQ(h.skipped, U{4});
}

TEST(ClockSkew, WithoutArrivalTimesThereIsNoVerdict) {
  Harness h("clock_skew", {}, {number_field()}, -1);
  h.feed(series({1, 2}));
  EXPECT_STREQ(h.judge().reason, "no_arrival_time");
}

}  // namespace
}  // namespace driftd::rules
