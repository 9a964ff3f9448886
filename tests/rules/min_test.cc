#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

TEST(Min, IsTheLeast) {
  CheckFixture f;
  f.add(every_cell(2.0, 5.0));
  const Judgement well = f.judge(*f.make("min", {{"min", "1"}, {"max", "3"}}, "x"));
  EXPECT_EQ(well.verdict, Verdict::kOk);
  EXPECT_DOUBLE_EQ(*well.value, 2);
  EXPECT_EQ(*well.n, 2U);
  EXPECT_TRUE(well.detail.empty());
  const Judgement high = f.judge(*f.make("min", {{"max", "1.9"}}, "x"));
  EXPECT_EQ(high.verdict, Verdict::kFail);
  EXPECT_STREQ(high.reason, "above_max");
  EXPECT_DOUBLE_EQ(*high.threshold, 1.9);
  EXPECT_STREQ(f.judge(*f.make("min", {{"min", "2.1"}}, "x")).reason, "below_min");
}

TEST(Min, NeedsSamples) {
  CheckFixture f;
  const auto check = f.make("min", {{"min", "0"}}, "x");
  f.add({{{Cell::kNull}}});
  EXPECT_STREQ(f.judge(*check).reason, "too_few_samples");
}

}  // namespace
}  // namespace driftd::rules
