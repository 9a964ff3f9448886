#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

const std::vector<Field> kFields = {field("x"), field("status", FieldKind::kCategory), field("note", FieldKind::kText)};

TEST(Duplicate, SameSensorTimeAndValues) {
  CheckFixture f(kFields);
  f.add({{{1.0, "ok", "n"}, 5, "a"},
         {{1.0, "ok", "n"}, 5, "b"},          // another sensor
         {{1.0, "ok", "n"}, 6, "a"},          // another time
         {{2.0, "ok", "n"}, 5, "a"},          // another number
         {{1.0, "idle", "n"}, 5, "a"},        // another category
         {{1.0, "ok", "m"}, 5, "a"},          // another text
         {{1.0, "ok", Cell::kNull}, 5, "a"},  // another state
         {{1.0, "ok", Cell::kMissing}, 5, "a"},
         {{1.0, "ok", "n"}, 5, "a"},            // the first again
         {{1.0, "ok", Cell::kNull}, 5, "a"}});  // null equals null
  const RowHits hits = f.run(*f.make("duplicate"));
  EXPECT_THAT(rows_of(hits), ElementsAre(8, 9));
  EXPECT_THAT(hits.skipped, IsEmpty());
}

TEST(Duplicate, OfOneField) {
  CheckFixture f(kFields);
  f.add({{{1.0, "ok", "n"}, 5}, {{1.0, "idle", "m"}, 5}, {{1.0, "ok", "n"}, 6}});
  EXPECT_THAT(rows_of(f.run(*f.make("duplicate", {}, "x"))), ElementsAre(1));
  EXPECT_THAT(rows_of(f.run(*f.make("duplicate", {}, "status"))), IsEmpty());
}

TEST(Duplicate, AmongTheLastEightOfTheSensor) {
  CheckFixture f;
  f.add_numbers({1, 2, 3, 4, 5, 6, 7, 8});
  f.add({{{1.0}, 0}});
  f.add({{{9.0}, kHour}});
  f.add({{{1.0}, 0}});  // nine others came since
  EXPECT_THAT(rows_of(f.run(*f.make("duplicate"))), ElementsAre(8));
}

TEST(Duplicate, KeepsItsStateAndForgetsSensors) {
  CheckFixture f;
  for (int i = 0; i < 40; ++i) f.add_row({{double(i % 5)}, 0, i % 2 == 0 ? "a" : "b"});
  for (int i = 0; i < 20; ++i) f.add_row({{double(i)}, 0, "a"});
  expect_same_in_slices_and_after_restart(f, "duplicate", {});
  const auto check = f.make("duplicate");
  f.run(*check);
  check->forget(0);
  f.clear();
  f.add({{{19.0}, 0, "a"}, {{4.0}, 0, "b"}});
  EXPECT_THAT(rows_of(f.run(*check)), ElementsAre(1));
}

TEST(Duplicate, RefusesAStateThatCannotBe) {
  const CheckFixture f;
  const auto load = [&](std::vector<std::uint64_t> hashes, std::uint8_t next) {
    ByteWriter out;
    out.u32(1);
    out.boolean(true);
    hashes.resize(8);
    for (const std::uint64_t h : hashes) out.u64(h);
    out.u8(next);
    ByteReader in(out.bytes());
    return f.make("duplicate")->load(in).ok();
  };
  EXPECT_TRUE(load({1, 2}, 2));
  EXPECT_FALSE(load({1, 2}, 1)) << "next is not the first free place";
  EXPECT_FALSE(load({1, 0, 2}, 1)) << "a hole";
  EXPECT_FALSE(load({1, 2, 3, 4, 5, 6, 7, 8}, 8)) << "next is no place";
}

TEST(Duplicate, WithoutComparingTheTime) {
  CheckFixture f;
  f.add({{{1.0}, 5}, {{1.0}, 6}, {{2.0}, 7}});
  EXPECT_THAT(rows_of(f.run(*f.make("duplicate", {{"compare_time", "false"}}))), ElementsAre(1));
  EXPECT_THAT(rows_of(f.run(*f.make("duplicate"))), IsEmpty());
}

}  // namespace
}  // namespace driftd::rules
