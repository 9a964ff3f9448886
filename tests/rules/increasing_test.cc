#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Increasing, ComparesWithTheValueBefore) {
  CheckFixture f;
  f.add_numbers({1, 1, 2, 1.5, 1.6, 0, 5});
  const RowHits hits = f.run(*f.make("increasing", {}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(3, 5));
  EXPECT_THAT(values_of(hits), ElementsAre(-0.5, -1.6));
  EXPECT_THAT(hits.skipped, ElementsAre(0));
  EXPECT_THAT(rows_of(f.run(*f.make("increasing", {{"strict", "true"}}, "x"))), ElementsAre(1, 3, 5));
}

TEST(Increasing, NullsAreSkippedAndChangeNothing) {
  CheckFixture f;
  f.add(every_cell(2.0, 1.0));
  const RowHits hits = f.run(*f.make("increasing", {}, "x"));
  EXPECT_THAT(rows_of(hits), ElementsAre(5));
  EXPECT_THAT(hits.skipped, ElementsAre(0, 1, 2, 3, 4));
}

TEST(Increasing, EachSensorOnItsOwn) {
  CheckFixture f;
  f.add({{{5.0}, 0, "a"}, {{1.0}, 0, "b"}, {{6.0}, 0, "a"}, {{2.0}, 0, "b"}});
  const auto check = f.make("increasing", {}, "x");
  EXPECT_THAT(rows_of(f.run(*check)), IsEmpty());
  check->forget(0);
  f.clear();
  f.add({{{0.0}, 0, "a"}, {{0.0}, 0, "b"}});
  EXPECT_THAT(rows_of(f.run(*check)), ElementsAre(1));
}

TEST(Increasing, HugeStepsStayFinite) {
  CheckFixture f;
  f.add_numbers({1.7e308, -1.7e308});
  EXPECT_TRUE(std::isfinite(values_of(f.run(*f.make("increasing", {}, "x")))[0]));
}

TEST(Increasing, KeepsItsState) {
  CheckFixture f;
  f.add({{{5.0}, 0, "a"}, {{1.0}, 0, "b"}, {{4.0}, 0, "a"}, {{2.0}, 0, "b"}, {{4.5}, 0, "a"}});
  expect_same_in_slices_and_after_restart(f, "increasing", {}, "x");
}

}  // namespace
}  // namespace driftd::rules
