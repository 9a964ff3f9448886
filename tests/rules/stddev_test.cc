#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Stddev, JudgesTheStatisticAgainstBothBounds) {
  const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
  const double expected = std::sqrt(32.0 / 7);
  const auto text = [](double v) { return std::to_string(v); };
  EXPECT_EQ(judge_values("stddev", {{"min", text(expected - 0.5)}, {"max", text(expected + 0.5)}}, values).verdict, Verdict::kOk);
  const Judgement low = judge_values("stddev", {{"min", text(expected + 0.5)}}, values);
  EXPECT_EQ(low.verdict, Verdict::kFail);
  EXPECT_STREQ(low.reason, "too_low");
  EXPECT_NEAR(*low.value, expected, 1e-12);
  EXPECT_STREQ(judge_values("stddev", {{"max", text(expected - 0.5)}}, values).reason, "too_high");
}

TEST(Stddev, NeedsABound) {
  Harness h("stddev", {{"min", "0"}}, {number_field()});
  h.params_ = {};
  EXPECT_FALSE(h.make().ok());
}

TEST(Stddev, OneValueHasNone) { EXPECT_STREQ(judge_values("stddev", {{"min", "0"}}, {1}).reason, "too_few_samples"); }

}  // namespace
}  // namespace driftd::rules
