#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(OutOfOrder, ComparesWithTheNewestOfTheSensor) {
  CheckFixture f;
  f.add({{{}, 10 * kSecond, "a"},
         {{}, 5 * kSecond, "b"},
         {{}, 10 * kSecond, "a"},
         {{}, 8 * kSecond, "a"},
         {{}, 9 * kSecond, "a"},
         {{}, 11 * kSecond, "a"}});
  const auto check = f.make("out_of_order");
  const RowHits hits = f.run(*check);
  EXPECT_THAT(rows_of(hits), ElementsAre(3, 4));
  EXPECT_THAT(values_of(hits), ElementsAre(2, 1));
  EXPECT_THAT(hits.skipped, IsEmpty());
  EXPECT_THAT(rows_of(f.run(*f.make("out_of_order", {{"tolerance", "1s"}}))), ElementsAre(3));
  check->forget(0);
  f.clear();
  f.add({{{}, 1, "a"}, {{}, 1, "b"}});
  EXPECT_THAT(rows_of(f.run(*check)), ElementsAre(1));
}

TEST(OutOfOrder, KeepsItsState) {
  CheckFixture f;
  for (int i = 0; i < 40; ++i) f.add_row({{}, (i * 7 % 11) * kSecond, i % 2 == 0 ? "a" : "b"});
  expect_same_in_slices_and_after_restart(f, "out_of_order", {{"tolerance", "3s"}});
}

}  // namespace
}  // namespace driftd::rules
