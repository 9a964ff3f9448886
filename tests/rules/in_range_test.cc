#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(InRange, BoundsAreAllowed) {
  Harness h("in_range", {{"min", "-40"}, {"max", "125"}}, {number_field()});
  h.feed(series({-40, 125, -40.0001, 125.0001, 0, kNan, Cell::kNull}));
  EXPECT_EQ(h.failed, (U{2, 3}));
  EXPECT_EQ(h.values, (std::vector<double>{-40.0001, 125.0001}));
  EXPECT_EQ(h.skipped, (U{5, 6}));
}

TEST(InRange, OneBoundIsEnoughAndNoneIsAnError) {
  Harness h("in_range", {{"max", "1"}}, {number_field()});
  h.feed(series({-1e300, 2}));
  EXPECT_EQ(h.failed, U{1});
  h.params_ = {};
  EXPECT_FALSE(h.make().ok());
  h.params_ = {{"min", "2"}, {"max", "1"}};
  EXPECT_FALSE(h.make().ok());
}

}  // namespace
}  // namespace driftd::rules
