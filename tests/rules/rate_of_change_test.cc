#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;

TEST(RateOfChange, IsPerSecondOfEventTime) {
  CheckFixture f;
  f.add({{{10.0}, 0}, {{11.0}, 2 * kSecond}, {{13.0}, 4 * kSecond}, {{12.5}, 4 * kSecond + kSecond / 4}});
  const RowHits hits = f.run(*f.make("rate_of_change", {{"max", "1"}}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(3));  // 0.5, 1.0 (allowed), -2 a second
  EXPECT_THAT(values_of(hits), ElementsAre(-2));
  EXPECT_THAT(hits.skipped, ElementsAre(0));
}

TEST(RateOfChange, SkipsWhatIsNotLater) {
  CheckFixture f;
  f.add({{{10.0}, 10 * kSecond}, {{99.0}, 10 * kSecond}, {{99.0}, 5 * kSecond}, {{11.0}, 11 * kSecond}});
  const RowHits hits = f.run(*f.make("rate_of_change", {{"max", "1"}}, "x"));
  EXPECT_TRUE(hits.failed.empty());
  EXPECT_THAT(hits.skipped, ElementsAre(0, 1, 2));
}

TEST(RateOfChange, ComparesAcrossNulls) {
  CheckFixture f;
  f.add(every_cell(0.0, 10.0));
  const RowHits hits = f.run(*f.make("rate_of_change", {{"max", "1.9"}}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(5));
  EXPECT_THAT(values_of(hits), ElementsAre(2));
}

TEST(RateOfChange, ExtremesStayFinite) {
  CheckFixture f;
  f.add({{{-1.7e308}, 0}, {{1.7e308}, 1}});
  const RowHits hits = f.run(*f.make("rate_of_change", {{"max", "1"}}, "x"));
  ASSERT_EQ(hits.failed.size(), 1U);
  EXPECT_TRUE(std::isfinite(hits.failed[0].value));
}

TEST(RateOfChange, KeepsItsState) {
  CheckFixture f;
  f.add({{{5.0}, 0, "a"}, {{1.0}, 0, "b"}, {{9.0}, kSecond, "a"}, {{2.0}, kSecond, "b"}, {{2.0}, 9 * kSecond, "b"}});
  expect_same_in_slices_and_after_restart(f, "rate_of_change", {{"max", "3"}}, "x");
}

}  // namespace
}  // namespace driftd::rules
