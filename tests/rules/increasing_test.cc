#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Increasing, ComparesEachSensorWithItself) {
  Harness h("increasing", {}, {number_field()});
  h.feed({{"a", 0, {1}}, {"b", 0, {9}}, {"a", 1, {2}}, {"b", 1, {8}}, {"a", 2, {2}}, {"a", 3, {Cell::kNull}}, {"a", 4, {1}}});
  EXPECT_EQ(h.failed, (U{3, 6}));
  EXPECT_EQ(h.skipped, (U{0, 1, 5}));
}

TEST(Increasing, StrictRefusesEqualValues) {
  Harness h("increasing", {{"strict", "true"}}, {number_field()});
  h.feed(series({1, 1, 2}));
  EXPECT_EQ(h.failed, U{1});
}

}  // namespace
}  // namespace driftd::rules
