#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(StuckValue, CountsARunOfEqualValues) {
  Harness h("stuck_value", {{"min_run", "3"}}, {number_field()});
  h.feed(series({1, 1, 1, 1, 2, 2, Cell::kNull, 2, 3}));
  EXPECT_EQ(h.failed, (U{2, 3, 7}));
  EXPECT_EQ(h.values.back(), 3);
  EXPECT_EQ(h.check->kind(), FindingKind::kFault);
}

TEST(StuckValue, ToleranceAndDuration) {
  Harness h("stuck_value", {{"min_run", "2"}, {"tolerance", "0.1"}, {"min_duration", "2s"}}, {number_field()});
  h.feed(series({1, 1.05, 1.1, 1.25}));
  EXPECT_EQ(h.failed, U{2}) << "the second is near enough but not for long enough";
}

}  // namespace
}  // namespace driftd::rules
