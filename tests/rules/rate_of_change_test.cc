#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(RateOfChange, IsPerSecondOfEventTime) {
  Harness h("rate_of_change", {{"max_per_second", "2"}}, {number_field()});
  h.feed({{"a", 0, {0}}, {"a", kSecond, {2}}, {"a", 2 * kSecond, {4.5}}, {"a", 12 * kSecond, {24.5}}, {"a", 11 * kSecond, {0}}, {"a", 13 * kSecond, {24}}});
  EXPECT_EQ(h.failed, U{2});
  EXPECT_EQ(h.values, std::vector<double>{2.5});
  EXPECT_EQ(h.skipped, (U{0, 4})) << "the first, and the one out of order";
}

}  // namespace
}  // namespace driftd::rules
