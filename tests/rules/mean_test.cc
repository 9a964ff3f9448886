#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Mean, JudgesTheStatisticAgainstBothBounds) {
  const std::vector<double> values = {1, 2, 6};
  const double expected = 3;
  const auto text = [](double v) { return std::to_string(v); };
  EXPECT_EQ(judge_values("mean", {{"min", text(expected - 0.5)}, {"max", text(expected + 0.5)}}, values).verdict, Verdict::kOk);
  const Judgement low = judge_values("mean", {{"min", text(expected + 0.5)}}, values);
  EXPECT_EQ(low.verdict, Verdict::kFail);
  EXPECT_STREQ(low.reason, "too_low");
  EXPECT_NEAR(*low.value, expected, 1e-12);
  EXPECT_STREQ(judge_values("mean", {{"max", text(expected - 0.5)}}, values).reason, "too_high");
}

TEST(Mean, NeedsABound) {
  Harness h("mean", {{"min", "0"}}, {number_field()});
  h.params_ = {};
  EXPECT_FALSE(h.make().ok());
}

TEST(Mean, AnEmptyWindowHasNoVerdict) { EXPECT_STREQ(judge_values("mean", {{"min", "0"}}, {}).reason, "too_few_samples"); }
}  // namespace
}  // namespace driftd::rules
