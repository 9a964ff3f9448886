#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

TEST(NullShare, CountsMissingNullAndNan) {
  CheckFixture f;
  f.add(every_cell(1.0, 2.0));
  const Judgement bad = f.judge(*f.make("null_share", {{"max", "0.49"}}, "x"));
  EXPECT_EQ(bad.verdict, Verdict::kFail);
  EXPECT_STREQ(bad.reason, "above_max");
  EXPECT_DOUBLE_EQ(*bad.value, 0.5);
  EXPECT_EQ(*bad.n, 6U);
  EXPECT_DOUBLE_EQ(*detail_of(bad, "not_finite")->number, 1);
  EXPECT_EQ(f.judge(*f.make("null_share", {{"max", "0.5"}}, "x")).verdict, Verdict::kOk);
}

TEST(NullShare, AnEmptyWindowHasNone) {
  CheckFixture f;
  EXPECT_STREQ(f.judge(*f.make("null_share", {{"max", "0"}}, "x")).reason, "too_few_samples");
}

}  // namespace
}  // namespace driftd::rules
