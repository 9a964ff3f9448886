#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Count, JudgesTheStatisticAgainstBothBounds) {
  const std::vector<double> values = {1, 2, 3};
  const double expected = 3;
  const auto text = [](double v) { return std::to_string(v); };
  EXPECT_EQ(judge_values("count", {{"min", text(expected - 0.5)}, {"max", text(expected + 0.5)}}, values).verdict, Verdict::kOk);
  const Judgement low = judge_values("count", {{"min", text(expected + 0.5)}}, values);
  EXPECT_EQ(low.verdict, Verdict::kFail);
  EXPECT_STREQ(low.reason, "too_low");
  EXPECT_NEAR(*low.value, expected, 1e-12);
  EXPECT_STREQ(judge_values("count", {{"max", text(expected - 0.5)}}, values).reason, "too_high");
}

TEST(Count, NeedsABound) {
  Harness h("count", {{"min", "0"}}, {number_field()});
  h.params_ = {};
  EXPECT_FALSE(h.make().ok());
}

TEST(Count, AnEmptyWindowCounts) { EXPECT_STREQ(judge_values("count", {{"min", "1"}}, {}).reason, "too_low"); }

}  // namespace
}  // namespace driftd::rules
