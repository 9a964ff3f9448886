#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST(Unique, FailsAValueThatCameBefore) {
  CheckFixture f({field("x", FieldKind::kText)});
  f.add({{{"a"}}, {{"b"}}, {{"a"}, 0, "other"}, {{""}}, {{Cell::kNull}}, {{Cell::kNull}}, {{""}}});
  const auto check = f.make("unique", {}, "x");
  const RowHits hits = f.run(*check);
  EXPECT_THAT(rows_of(hits), ElementsAre(2, 6));
  EXPECT_THAT(hits.skipped, ElementsAre(4, 5));
}

TEST(Unique, ZeroIsZeroWhateverItsSign) {
  CheckFixture f;
  f.add_numbers({0.0, -0.0, 1});
  EXPECT_THAT(rows_of(f.run(*f.make("unique", {}, "x"))), ElementsAre(1));
}

TEST(Unique, RemembersSoManyDistinctValues) {
  CheckFixture f;
  f.add_numbers({1, 2, 2, 3, 1, 4, 1});
  // 3 and 2 are remembered when 1 comes again, then 1 and 3, then 4 and 1.
  EXPECT_THAT(rows_of(f.run(*f.make("unique", {{"window", "2"}}, "x"))), ElementsAre(2, 6));
  EXPECT_THAT(rows_of(f.run(*f.make("unique", {{"window", "1"}}, "x"))), ElementsAre(2));
}

TEST(Unique, StaysExactAfterManyEvictions) {
  CheckFixture f;
  std::vector<double> numbers;
  for (int i = 0; i < 5000; ++i) numbers.push_back(i);
  for (int i = 4900; i < 5000; ++i) numbers.push_back(i);  // still remembered
  for (int i = 0; i < 10; ++i) numbers.push_back(i);       // forgotten
  f.add_numbers(numbers);
  const RowHits hits = f.run(*f.make("unique", {{"window", "100"}}, "x"));
  ASSERT_EQ(hits.failed.size(), 100U);
  EXPECT_EQ(hits.failed.front().row, 5000U);
  EXPECT_EQ(hits.failed.back().row, 5099U);
}

TEST(Unique, PerSensorAndForgetsASensor) {
  CheckFixture f;
  f.add({{{1.0}, 0, "a"}, {{1.0}, 0, "b"}, {{1.0}, 0, "a"}});
  const auto check = f.make("unique", {{"per", "sensor"}}, "x");
  EXPECT_THAT(rows_of(f.run(*check)), ElementsAre(2));
  check->forget(0);
  f.clear();
  f.add({{{1.0}, 0, "b"}, {{1.0}, 0, "a"}});
  EXPECT_THAT(rows_of(f.run(*check)), ElementsAre(0));
}

TEST(Unique, KeepsItsStateAndRefusesADamagedOne) {
  CheckFixture f;
  f.add_numbers({1, 2, 3, 1, 4, 2, 5, 5, 1});
  expect_same_in_slices_and_after_restart(f, "unique", {{"window", "3"}}, "x");
  ByteWriter twice;
  twice.u32(2);
  twice.u64(7);
  twice.u64(7);
  ByteReader in(twice.bytes());
  EXPECT_FALSE(f.make("unique", {}, "x")->load(in).ok());
}

}  // namespace
}  // namespace driftd::rules
