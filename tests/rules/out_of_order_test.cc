#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(OutOfOrder, ComparesWithTheNewestOfTheSensor) {
  Harness h("out_of_order", {{"tolerance", "1s"}}, {number_field()}, -1);
  h.feed({{"a", 10 * kSecond, {1}}, {"b", 0, {1}}, {"a", 9 * kSecond, {1}}, {"a", 8 * kSecond, {1}}, {"a", 10 * kSecond, {1}}});
  EXPECT_EQ(h.failed, U{3});
  EXPECT_EQ(h.values, std::vector<double>{2});
  EXPECT_EQ(h.skipped, (U{0, 1}));
}

}  // namespace
}  // namespace driftd::rules
