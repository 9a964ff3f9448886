#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

class QuantileTest : public ::testing::Test {
 protected:
  Judgement judge(const Pairs& params, const std::vector<double>& values) {
    CheckFixture f;
    stats::LogHistogram histogram;
    stats::Window window = f.window();
    for (const double v : values) {
      histogram.add(v);
      window.fields[0].moments.add(v);
    }
    window.fields[0].quantiles = &histogram;
    return f.make("quantile", params, "x")->judge(window, window.tallies[0]);
  }
};

TEST_F(QuantileTest, WithinHalfAPercent) {
  std::vector<double> values;
  for (int i = 1; i <= 1000; ++i) values.push_back(i);
  const Judgement well = judge({{"q", "0.99"}, {"max", "1000"}}, values);
  EXPECT_EQ(well.verdict, Verdict::kOk);
  EXPECT_NEAR(*well.value, 990, 990 * 0.005);
  EXPECT_EQ(*well.n, 1000U);
  EXPECT_STREQ(judge({{"q", "0.99"}, {"max", "980"}}, values).reason, "above_max");
  EXPECT_STREQ(judge({{"q", "0.5"}, {"min", "510"}}, values).reason, "below_min");
}

TEST_F(QuantileTest, IsNeverOutsideTheValues) {
  EXPECT_EQ(*judge({{"q", "0.5"}, {"max", "5"}}, std::vector<double>(100, 5)).value, 5);
  EXPECT_EQ(*judge({{"q", "0"}, {"min", "3"}}, {3, 1000}).value, 3);
  EXPECT_EQ(*judge({{"q", "1"}, {"max", "777"}}, {3, 777}).value, 777);
}

TEST_F(QuantileTest, NeedsSamplesAndAsksForTheHistogram) {
  EXPECT_STREQ(judge({{"q", "0.5"}, {"min", "0"}}, {}).reason, "too_few_samples");
  CheckFixture f;
  const auto check = f.make("quantile", {{"q", "0.5"}, {"min", "0"}}, "x");
  EXPECT_TRUE(check->needs().quantiles);
  const stats::Window window = f.window();  // carries no histogram
  EXPECT_STREQ(check->judge(window, window.tallies[0]).reason, "too_few_samples");
  EXPECT_FALSE(f.try_make("quantile", {{"q", "1.1"}, {"min", "0"}}, "x").ok());
  EXPECT_FALSE(f.try_make("quantile", {{"min", "0"}}, "x").ok());
}

}  // namespace
}  // namespace driftd::rules
