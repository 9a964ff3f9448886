#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(NullShare, JudgesTheStatisticAgainstBothBounds) {
  const std::vector<double> values = {1, 2};
  const double expected = 0;
  const auto text = [](double v) { return std::to_string(v); };
  EXPECT_EQ(judge_values("null_share", {{"min", text(expected - 0.5)}, {"max", text(expected + 0.5)}}, values).verdict, Verdict::kOk);
  const Judgement low = judge_values("null_share", {{"min", text(expected + 0.5)}}, values);
  EXPECT_EQ(low.verdict, Verdict::kFail);
  EXPECT_STREQ(low.reason, "too_low");
  EXPECT_NEAR(*low.value, expected, 1e-12);
  EXPECT_STREQ(judge_values("null_share", {{"max", text(expected - 0.5)}}, values).reason, "too_high");
}

TEST(NullShare, NeedsABound) {
  Harness h("null_share", {{"min", "0"}}, {number_field()});
  h.params_ = {};
  EXPECT_FALSE(h.make().ok());
}

TEST(NullShare, CountsMissingAndNull) {
  const Harness h("null_share", {{"max", "0.4"}}, {number_field()});
  stats::Window w;
  w.rows = 10;
  w.fields.resize(1);
  w.fields[0].missing = 2;
  w.fields[0].null = 3;
  w.fields[0].not_finite = 5;
  EXPECT_EQ(h.check->judge(w, {}).value, 0.5);
  EXPECT_EQ(h.check->judge(w, {}).verdict, Verdict::kFail);
}

}  // namespace
}  // namespace driftd::rules
