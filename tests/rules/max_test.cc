#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Max, JudgesTheStatisticAgainstBothBounds) {
  const std::vector<double> values = {5, -2, 7};
  const double expected = 7;
  const auto text = [](double v) { return std::to_string(v); };
  EXPECT_EQ(judge_values("max", {{"min", text(expected - 0.5)}, {"max", text(expected + 0.5)}}, values).verdict, Verdict::kOk);
  const Judgement low = judge_values("max", {{"min", text(expected + 0.5)}}, values);
  EXPECT_EQ(low.verdict, Verdict::kFail);
  EXPECT_STREQ(low.reason, "too_low");
  EXPECT_NEAR(*low.value, expected, 1e-12);
  EXPECT_STREQ(judge_values("max", {{"max", text(expected - 0.5)}}, values).reason, "too_high");
}

TEST(Max, NeedsABound) {
  Harness h("max", {{"min", "0"}}, {number_field()});
  h.params_ = {};
  EXPECT_FALSE(h.make().ok());
}

TEST(Max, AnEmptyWindowHasNoVerdict) { EXPECT_STREQ(judge_values("max", {{"min", "0"}}, {}).reason, "too_few_samples"); }
}  // namespace
}  // namespace driftd::rules
