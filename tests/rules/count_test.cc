#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::HasSubstr;

TEST(Count, CountsEveryRow) {
  CheckFixture f;
  f.add(every_cell(1.0, 2.0));
  const auto check = f.make("count", {{"min", "6"}, {"max", "8"}});
  const Judgement well = f.judge(*check);
  EXPECT_EQ(well.verdict, Verdict::kOk);
  EXPECT_DOUBLE_EQ(*well.value, 6);
  EXPECT_DOUBLE_EQ(*well.threshold, 6) << "the nearer bound";
  f.add_numbers({1, 2, 3});
  const Judgement many = f.judge(*check);
  EXPECT_STREQ(many.reason, "above_max");
  EXPECT_DOUBLE_EQ(*many.threshold, 8);
}

TEST(Count, JudgesAnEmptyWindow) {
  CheckFixture f;
  const Judgement j = f.judge(*f.make("count", {{"min", "1"}}));
  EXPECT_EQ(j.verdict, Verdict::kFail);
  EXPECT_STREQ(j.reason, "below_min");
  EXPECT_DOUBLE_EQ(*j.value, 0);
}

TEST(Count, NeedsABound) {
  const CheckFixture f;
  EXPECT_THAT(error_of(f.try_make("count", {})), HasSubstr("'min', 'max' or both"));
  EXPECT_THAT(error_of(f.try_make("count", {{"min", "2"}, {"max", "1"}})), HasSubstr("above 'max'"));
}

}  // namespace
}  // namespace driftd::rules
