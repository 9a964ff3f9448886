#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Quantile, JudgesTheStatisticAgainstBothBounds) {
  const std::vector<double> values = {10, 20, 30, 40, 1000};
  const double expected = 30;
  const auto text = [](double v) { return std::to_string(v); };
  EXPECT_EQ(judge_values("quantile", {{"min", text(expected - 0.5)}, {"max", text(expected + 0.5)}, {"q", "0.5"}}, values).verdict, Verdict::kOk);
  const Judgement low = judge_values("quantile", {{"min", text(expected + 0.5)}, {"q", "0.5"}}, values);
  EXPECT_EQ(low.verdict, Verdict::kFail);
  EXPECT_STREQ(low.reason, "too_low");
  EXPECT_NEAR(*low.value, expected, 0.15);
  EXPECT_STREQ(judge_values("quantile", {{"max", text(expected - 0.5)}, {"q", "0.5"}}, values).reason, "too_high");
}

TEST(Quantile, NeedsABound) {
  Harness h("quantile", {{"min", "0"}, {"q", "0.5"}}, {number_field()});
  h.params_ = {{"q", "0.5"}};
  EXPECT_FALSE(h.make().ok());
}

TEST(Quantile, AnEmptyWindowHasNoVerdict) { EXPECT_STREQ(judge_values("quantile", {{"min", "0"}, {"q", "0.5"}}, {}).reason, "too_few_samples"); }
}  // namespace
}  // namespace driftd::rules
