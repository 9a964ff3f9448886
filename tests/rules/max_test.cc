#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

TEST(Max, IsTheLargest) {
  CheckFixture f;
  f.add(every_cell(2.0, 5.0));
  const Judgement well = f.judge(*f.make("max", {{"min", "4"}, {"max", "6"}}, "x"));
  EXPECT_EQ(well.verdict, Verdict::kOk);
  EXPECT_DOUBLE_EQ(*well.value, 5);
  EXPECT_EQ(*well.n, 2U);
  EXPECT_TRUE(well.detail.empty());
  const Judgement high = f.judge(*f.make("max", {{"max", "4.9"}}, "x"));
  EXPECT_EQ(high.verdict, Verdict::kFail);
  EXPECT_STREQ(high.reason, "above_max");
  EXPECT_DOUBLE_EQ(*high.threshold, 4.9);
  EXPECT_STREQ(f.judge(*f.make("max", {{"min", "5.1"}}, "x")).reason, "below_min");
}

TEST(Max, NeedsSamples) {
  CheckFixture f;
  const auto check = f.make("max", {{"min", "0"}}, "x");
  f.add({{{Cell::kNull}}});
  EXPECT_STREQ(f.judge(*check).reason, "too_few_samples");
}

}  // namespace
}  // namespace driftd::rules
