#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

class QuantileTest : public ::testing::Test {
 protected:
  Judgement judge(const Pairs& params, const std::vector<double>& values) {
    CheckFixture f;
    stats::LogHistogram histogram;
    for (const double v : values) histogram.add(v);
    f.add_numbers(values);
    stats::Window window = f.window();
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

TEST_F(QuantileTest, IsExactForConstantsAndAtTheEnds) {
  for (const double c : {5.0, -5.0, 1e-12, 3e17, 0.0}) {
    for (const char* q : {"0", "0.5", "1"}) {
      EXPECT_EQ(*judge({{"q", q}, {"max", "1e20"}}, {c, c, c}).value, c) << c << " at " << q;
    }
  }
  const std::vector<double> values = {7, 3.3, 101, -20.7};
  EXPECT_EQ(*judge({{"q", "0"}, {"max", "1e9"}}, values).value, -20.7);
  EXPECT_EQ(*judge({{"q", "0.25"}, {"max", "1e9"}}, values).value, -20.7) << "the least has rank 1 of 4";
  EXPECT_EQ(*judge({{"q", "0.76"}, {"max", "1e9"}}, values).value, 101);
  EXPECT_EQ(*judge({{"q", "1"}, {"max", "1e9"}}, values).value, 101);
}

TEST_F(QuantileTest, StaysWithinTheWindowsValues) {
  // Three of four values are the least one; its bucket's middle is below it.
  for (const double c : {5.0, 5.01, 5.02, 5.03, 5.04}) {
    EXPECT_GE(*judge({{"q", "0.5"}, {"max", "9"}}, {c, c, c, 8}).value, c);
    EXPECT_LE(*judge({{"q", "0.5"}, {"max", "9"}}, {1, c, c, c}).value, c);
  }
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
