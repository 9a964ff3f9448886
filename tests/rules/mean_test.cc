#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

TEST(Mean, OfTheNumbers) {
  CheckFixture f;
  f.add(every_cell(2.0, 5.0));
  const Judgement well = f.judge(*f.make("mean", {{"min", "3"}, {"max", "4"}}, "x"));
  EXPECT_EQ(well.verdict, Verdict::kOk);
  EXPECT_DOUBLE_EQ(*well.value, 3.5);
  EXPECT_EQ(*well.n, 2U);
  EXPECT_TRUE(well.detail.empty());
  const Judgement high = f.judge(*f.make("mean", {{"max", "3.4"}}, "x"));
  EXPECT_EQ(high.verdict, Verdict::kFail);
  EXPECT_STREQ(high.reason, "above_max");
  EXPECT_DOUBLE_EQ(*high.threshold, 3.4);
  EXPECT_STREQ(f.judge(*f.make("mean", {{"min", "3.6"}}, "x")).reason, "below_min");
}

TEST(Mean, NeedsSamples) {
  CheckFixture f;
  const auto check = f.make("mean", {{"min", "0"}}, "x");
  f.add({{{Cell::kNull}}});
  EXPECT_STREQ(f.judge(*check).reason, "too_few_samples");
}

TEST(Mean, HugeValuesAreNoNan) {
  CheckFixture f;
  f.add_numbers({1.7e308, -1.7e308, 1.7e308});
  const Judgement j = f.judge(*f.make("mean", {{"min", "0"}}, "x"));
  EXPECT_STREQ(j.reason, "overflow");
  EXPECT_FALSE(j.value);
}

}  // namespace
}  // namespace driftd::rules
