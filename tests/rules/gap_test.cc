#include "tests/rules/check_fixture.h"

namespace driftd::rules {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

TEST(Gap, FailsTheRecordAfterAGap) {
  CheckFixture f;
  f.add({{{}, 0}, {{}, 30 * kSecond}, {{}, 61 * kSecond}, {{}, 5 * kSecond}, {{}, 91 * kSecond}});
  const RowHits hits = f.run(*f.make("gap", {{"max", "30s"}}));
  EXPECT_THAT(rows_of(hits), ElementsAre(2));
  EXPECT_THAT(values_of(hits), ElementsAre(31));
  EXPECT_THAT(hits.skipped, ElementsAre(0));
}

TEST(Gap, FindsSilentSensorsAtTheEndOfEveryWindowUntilTheyAreGivenUp) {
  CheckFixture f;
  f.add({{{}, 0, "a"}, {{}, 0, "b"}, {{}, 50 * kSecond, "b"}, {{}, 70 * kSecond, "c"}});
  const auto check = f.make("gap", {{"max", "30s"}, {"forget_after", "3m"}});
  f.run(*check);
  const auto silent_at = [&](Time end) {
    std::vector<SensorHit> hits;
    check->on_close(end - kMinute, end, hits);
    std::vector<std::pair<std::uint32_t, double>> out;
    for (const SensorHit& hit : hits) out.emplace_back(hit.sensor, hit.value);
    return out;
  };
  EXPECT_THAT(silent_at(kMinute), ElementsAre(std::pair(0U, 60.0)));
  EXPECT_THAT(silent_at(2 * kMinute), ElementsAre(std::pair(0U, 120.0), std::pair(1U, 70.0), std::pair(2U, 50.0)));
  EXPECT_THAT(silent_at(3 * kMinute), ElementsAre(std::pair(0U, 180.0), std::pair(1U, 130.0), std::pair(2U, 110.0)));
  EXPECT_THAT(silent_at(4 * kMinute), ElementsAre(std::pair(2U, 170.0)));
  EXPECT_THAT(silent_at(5 * kMinute), IsEmpty());
  f.clear();
  f.add({{{}, 6 * kMinute, "a"}});
  EXPECT_THAT(f.run(*check).skipped, ElementsAre(0)) << "given up, so it starts anew";
}

TEST(Gap, JudgesAWindowWithoutRecords) {
  CheckFixture f;
  stats::Window window = f.window();
  window.tallies[0].failed = 1;
  window.tallies[0].first = {true, 5 * kSecond, 3, -1, 55, "a"};
  const Judgement j = f.make("gap", {{"max", "30s"}})->judge(window, window.tallies[0]);
  EXPECT_EQ(j.verdict, Verdict::kFail);
  EXPECT_STREQ(j.reason, "gap");
  EXPECT_DOUBLE_EQ(*j.value, 1);
  EXPECT_EQ(detail_of(j, "first_source"), nullptr) << "there is no record to name";
  EXPECT_EQ(detail_of(j, "first_sensor")->text, "a");
  EXPECT_EQ(f.make("gap", {{"max", "30s"}})->kind(), FindingKind::kFault);
}

TEST(Gap, RefusesToForgetBeforeItFinds) {
  const CheckFixture f;
  EXPECT_THAT(error_of(f.try_make("gap", {{"max", "8d"}})), HasSubstr("forget_after"));
  EXPECT_THAT(error_of(f.try_make("gap", {{"max", "0s"}})), HasSubstr("below"));
  EXPECT_THAT(error_of(f.try_make("gap", {})), HasSubstr("'max' is missing"));
}

TEST(Gap, KeepsItsStateAndForgetsSensors) {
  CheckFixture f;
  for (int i = 0; i < 20; ++i) f.add_row({{}, i * i * kSecond, i % 3 == 0 ? "a" : "b"});
  expect_same_in_slices_and_after_restart(f, "gap", {{"max", "20s"}});
  const auto check = f.make("gap", {{"max", "20s"}});
  f.run(*check);
  check->forget(0);
  std::vector<SensorHit> hits;
  check->on_close(0, kHour, hits);
  ASSERT_EQ(hits.size(), 1U);
  EXPECT_EQ(hits[0].sensor, 1U);
}

TEST(Gap, TimesAtTheEdgeOfTheRange) {
  CheckFixture f;
  constexpr Time kMost = std::numeric_limits<Time>::max();
  f.add({{{}, -kMost}, {{}, kMost}});
  const auto check = f.make("gap", {{"max", "20s"}});
  EXPECT_EQ(f.run(*check).failed.size(), 1U);
  std::vector<SensorHit> hits;
  check->on_close(-kMost, -kMost + 1, hits);
  EXPECT_THAT(hits, IsEmpty());
}

}  // namespace
}  // namespace driftd::rules
