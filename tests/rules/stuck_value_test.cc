#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(StuckValue, FailsFromTheNthEqualValueOn) {
  CheckFixture f;
  f.add_numbers({1, 5, 5, 5, 5, 6, 5, 5});
  const RowHits hits = f.run(*f.make("stuck_value", {{"min_run", "3"}}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(3, 4));
  EXPECT_THAT(values_of(hits), ElementsAre(3, 4));
  EXPECT_THAT(hits.skipped, IsEmpty());
}

TEST(StuckValue, TheDefaultIsTen) {
  CheckFixture f;
  f.add_numbers(std::vector<double>(10, 2));
  EXPECT_THAT(rows_of(f.run(*f.make("stuck_value", {}, "x"))), ElementsAre(9));
}

TEST(StuckValue, ToleranceCountsFromTheRunsFirstValue) {
  CheckFixture f;
  f.add_numbers({1, 1.1, 0.9, 1.1, 1.2, 1.3, 1.4});  // a slow climb is not stuck
  EXPECT_THAT(rows_of(f.run(*f.make("stuck_value", {{"min_run", "3"}, {"tolerance", "0.15"}}, "x"))), ElementsAre(2, 3));
}

TEST(StuckValue, MinDurationIsOfEventTime) {
  CheckFixture f;
  f.add({{{5.0}, 0}, {{5.0}, 0}, {{5.0}, 9 * kSecond}, {{5.0}, 10 * kSecond}});
  EXPECT_THAT(rows_of(f.run(*f.make("stuck_value", {{"min_run", "2"}, {"min_duration", "10s"}}, "x"))), ElementsAre(3));
}

TEST(StuckValue, NullsDoNotEndARun) {
  CheckFixture f;
  f.add(every_cell(5.0, 5.0));
  const RowHits hits = f.run(*f.make("stuck_value", {{"min_run", "2"}}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(5));
  EXPECT_THAT(hits.skipped, ElementsAre(1, 2, 3, 4));
}

TEST(StuckValue, RefusesARunOfOne) {
  const CheckFixture f;
  EXPECT_THAT(error_of(f.try_make("stuck_value", {{"min_run", "1"}}, "x")), HasSubstr("below"));
}

TEST(StuckValue, KeepsItsStateAndForgetsSensors) {
  CheckFixture f;
  for (int i = 0; i < 30; ++i) f.add_row({{i < 20 ? 1.0 : 2.0}, i * kSecond, i % 2 == 0 ? "a" : "b"});
  expect_same_in_slices_and_after_restart(f, "stuck_value", {{"min_run", "4"}}, "x");
  const auto check = f.make("stuck_value", {{"min_run", "4"}}, "x");
  f.run(*check);
  check->forget(0);
  f.clear();
  f.add({{{2.0}, 0, "a"}, {{2.0}, 0, "b"}});
  EXPECT_THAT(rows_of(f.run(*check)), ElementsAre(1));
}

}  // namespace
}  // namespace driftd::rules
