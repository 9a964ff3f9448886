#include <cmath>

#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

TEST(Stddev, OfTheSample) {
  CheckFixture f;
  f.add(every_cell(2.0, 5.0));
  const Judgement well = f.judge(*f.make("stddev", {{"min", "2"}, {"max", "2.2"}}, "x"));
  EXPECT_EQ(well.verdict, Verdict::kOk);
  EXPECT_DOUBLE_EQ(*well.value, std::sqrt(4.5));
  EXPECT_EQ(*well.n, 2U);
  EXPECT_TRUE(well.detail.empty());
  const Judgement high = f.judge(*f.make("stddev", {{"max", "2.1"}}, "x"));
  EXPECT_EQ(high.verdict, Verdict::kFail);
  EXPECT_STREQ(high.reason, "above_max");
  EXPECT_DOUBLE_EQ(*high.threshold, 2.1);
  EXPECT_STREQ(f.judge(*f.make("stddev", {{"min", "2.2"}}, "x")).reason, "below_min");
}

TEST(Stddev, NeedsSamples) {
  CheckFixture f;
  const auto check = f.make("stddev", {{"min", "0"}}, "x");
  f.add({{{Cell::kNull}}});
  EXPECT_STREQ(f.judge(*check).reason, "too_few_samples");
  f.add({{{1.0}}});
  EXPECT_STREQ(f.judge(*check).reason, "too_few_samples") << "one value has no deviation";
  f.add({{{1.0}}});
  EXPECT_EQ(f.judge(*check).verdict, Verdict::kOk);
}

TEST(Stddev, HugeValuesAreNoNan) {
  CheckFixture f;
  f.add_numbers({1.7e308, -1.7e308, 1.7e308});
  const Judgement j = f.judge(*f.make("stddev", {{"min", "0"}}, "x"));
  EXPECT_STREQ(j.reason, "overflow");
  EXPECT_FALSE(j.value);
}

}  // namespace
}  // namespace driftd::rules
