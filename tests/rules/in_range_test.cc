#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(InRange, BoundsAreInclusive) {
  CheckFixture f;
  f.add_numbers({-40, 125, -40.001, 125.001, 0, -1e308, 1e308});
  const auto check = f.make("in_range", {{"min", "-40"}, {"max", "125"}}, "x");
  const RowHits hits = f.run(*check);
  EXPECT_THAT(rows_of(hits), ElementsAre(2, 3, 5, 6));
  EXPECT_THAT(values_of(hits), ElementsAre(-40.001, 125.001, -1e308, 1e308));
}

TEST(InRange, OneBoundIsEnough) {
  CheckFixture f;
  f.add_numbers({-5, 5});
  EXPECT_THAT(rows_of(f.run(*f.make("in_range", {{"min", "0"}}, "x"))), ElementsAre(0));
  EXPECT_THAT(rows_of(f.run(*f.make("in_range", {{"max", "0"}}, "x"))), ElementsAre(1));
}

TEST(InRange, SkipsWhatIsNoNumber) {
  CheckFixture f;
  f.add(every_cell(1.0, 99.0));
  const auto check = f.make("in_range", {{"max", "10"}}, "x");
  EXPECT_THAT(f.run(*check).skipped, ElementsAre(1, 2, 3, 4));
  const Judgement j = f.judge(*check);
  EXPECT_STREQ(j.reason, "out_of_range");
  EXPECT_EQ(*j.n, 2U);
  EXPECT_DOUBLE_EQ(*detail_of(j, "worst")->number, 99);
  EXPECT_DOUBLE_EQ(*detail_of(j, "first_value")->number, 99);
  EXPECT_DOUBLE_EQ(*detail_of(j, "skipped")->number, 4);
}

TEST(InRange, RefusesBoundsThatMakeNoSense) {
  const CheckFixture f;
  EXPECT_THAT(error_of(f.try_make("in_range", {}, "x")), HasSubstr("'min', 'max' or both"));
  EXPECT_THAT(error_of(f.try_make("in_range", {{"min", "2"}, {"max", "1"}}, "x")), HasSubstr("above"));
  EXPECT_THAT(error_of(f.try_make("in_range", {{"min", "nan"}}, "x")), HasSubstr("finite"));
}

}  // namespace
}  // namespace driftd::rules
