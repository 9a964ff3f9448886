#include <algorithm>

#include "tests/rules/detector_fixture.h"

namespace driftd::rules::detector_test {
namespace {

TEST(DetectorCheck, EverySensorHasItsOwnDetector) {
  Harness h("page_hinkley", {{"threshold", "5"}}, {number_field()});
  ASSERT_TRUE(h.check->judges_records());
  std::vector<TestRow> rows;
  for (int i = 0; i < 200; ++i) {
    rows.push_back({"calm", i * kSecond, {1.0}});
    rows.push_back({"moved", i * kSecond, {i < 100 ? 1.0 : 3.0}});
    rows.push_back({"broken", i * kSecond, {kNan}});
  }
  h.feed(rows);
  ASSERT_FALSE(h.failed.empty());
  for (const std::uint32_t row : h.failed) EXPECT_EQ(row % 3, 1U) << "only the one that moved";
  EXPECT_GE(h.failed.front() / 3, 100U);
  EXPECT_EQ(h.skipped.size(), 200U) << "NaN is skipped and blinds nothing";
}

TEST(DetectorCheck, ABinaryDetectorWantsZeroOrOne) {
  Harness h("ddm", {}, {{.name = "wrong", .kind = FieldKind::kFlag}});
  Harness numbers("ddm", {}, {{.name = "wrong", .kind = FieldKind::kInteger}});
  numbers.feed(series({0.0, 1.0, 2.0}));
  EXPECT_EQ(numbers.skipped, U{2});
  h.schema.fields[0].kind = FieldKind::kNumber;
  EXPECT_FALSE(h.make().ok());
}

TEST(DetectorCheck, JudgesTheRecordThatWasHit) {
  Harness h("adwin", {}, {number_field()});
  std::vector<Value> v;
  for (int i = 0; i < 400; ++i) v.push_back(i < 200 ? 0.0 : 1.0);
  h.feed(series(v));
  ASSERT_FALSE(h.failed.empty());
  const Judgement j = h.check->judge_record({h.failed.front(), h.values.front()});
  EXPECT_EQ(j.verdict, Verdict::kFail);
  EXPECT_STREQ(j.reason, "drift_detected");
  EXPECT_GT(*j.value, *j.threshold);
}

// Errors of a rate that rises slowly: ddm warns for long before it reports a drift.
std::vector<Value> rising() {
  std::vector<Value> v;
  for (int i = 0; i < 400; ++i) v.push_back(i % 10 == 0 ? 1.0 : 0.0);
  for (int i = 0; i < 200; ++i) v.push_back(i % 5 == 0 ? 1.0 : 0.0);
  return v;
}

TEST(DetectorCheck, WarnsOnceAWindow) {
  Harness h("ddm", {{"drift", "50"}}, {{.name = "wrong", .kind = FieldKind::kFlag}});
  const std::vector<Value> values = rising();
  std::vector<std::int64_t> minutes;
  for (std::size_t i = 0; i < values.size(); ++i) {
    h.failed.clear();
    h.feed({{"s", static_cast<Time>(i) * kSecond, {values[i]}}});
    if (h.failed.empty()) continue;
    const Judgement j = h.check->judge_record({0, h.values.back()});
    EXPECT_EQ(j.verdict, Verdict::kWarn);
    EXPECT_STREQ(j.reason, "drift_warning");
    EXPECT_EQ(j.n, i + 1);
    EXPECT_EQ(h.check->state(), Verdict::kWarn);
    minutes.push_back(static_cast<std::int64_t>(i) / 60);
  }
  ASSERT_GE(minutes.size(), 2U) << "while it lasts each window is told of it";
  for (std::size_t i = 1; i < minutes.size(); ++i) EXPECT_EQ(minutes[i], minutes[i - 1] + 1) << "once";
}

TEST(DetectorCheck, ADriftAfterAWarningIsADrift) {
  Harness h("ddm", {}, {{.name = "wrong", .kind = FieldKind::kFlag}});
  std::vector<Value> values = rising();
  values.erase(values.begin() + 500, values.end());
  values.insert(values.end(), 100, Value(1.0));
  h.feed(series(values));
  std::vector<Verdict> told;
  for (std::size_t i = 0; i < h.failed.size(); ++i) told.push_back(h.check->judge_record({h.failed[i], h.values[i]}).verdict);
  EXPECT_TRUE(std::find(told.begin(), told.end(), Verdict::kWarn) < std::find(told.begin(), told.end(), Verdict::kFail));
  EXPECT_NE(std::find(told.begin(), told.end(), Verdict::kFail), told.end());
}

TEST(DetectorCheck, ADriftShowsUntilTheWindowAfterIt) {
  Harness h("page_hinkley", {{"threshold", "5"}}, {number_field()});
  std::vector<SensorHit> none;
  EXPECT_EQ(h.check->state(), Verdict::kOk);
  std::vector<Value> v(100, Value(1.0));
  v.insert(v.end(), 20, Value(3.0));
  h.feed(series(v));
  ASSERT_FALSE(h.failed.empty());
  h.feed(series({3.0}, 200 * kSecond));
  EXPECT_EQ(h.check->state(), Verdict::kFail) << "its next record is fine";
  h.check->on_close(0, kMinute, none);
  EXPECT_EQ(h.check->state(), Verdict::kFail);
  ByteWriter out;
  h.check->save(out);
  auto loaded = h.make();
  ByteReader in(out.bytes());
  ASSERT_TRUE((*loaded)->load(in).ok());
  for (Check* check : {h.check.get(), loaded->get()}) {
    EXPECT_EQ(check->state(), Verdict::kFail);
    check->on_close(kMinute, 2 * kMinute, none);
    EXPECT_EQ(check->state(), Verdict::kOk);
  }
  EXPECT_TRUE(none.empty());
}

TEST(DetectorCheck, AWarningLastsWhileASensorWarns) {
  Harness h("ddm", {{"drift", "50"}}, {{.name = "wrong", .kind = FieldKind::kFlag}});
  h.feed(series(rising()));
  std::vector<SensorHit> none;
  for (int i = 0; i < 3; ++i) {
    h.check->on_close(i * kMinute, (i + 1) * kMinute, none);
    EXPECT_EQ(h.check->state(), Verdict::kWarn);
  }
  h.check->forget(0);
  h.check->on_close(0, 0, none);
  h.check->on_close(0, 0, none);
  EXPECT_EQ(h.check->state(), Verdict::kOk);
}

stats::Window window_of(std::uint64_t rows) {
  stats::Window window;
  window.rows = rows;
  return window;
}

TEST(DetectorCheck, AWindowWithoutAValueHasNoVerdict) {
  for (const char* name : {"adwin", "ddm", "page_hinkley"}) {
    Harness h(name, {}, {{.name = "x", .kind = FieldKind::kInteger}});
    h.feed(series(std::vector<Value>(3000, Value(Cell::kNull))));
    ASSERT_EQ(h.skipped.size(), 3000U) << name;
    stats::Tally tally;
    tally.skipped = 3000;
    const Judgement blind = h.check->judge(window_of(3000), tally);
    EXPECT_EQ(blind.verdict, Verdict::kNoVerdict) << name;
    EXPECT_STREQ(blind.reason, "too_few_samples");
    ASSERT_EQ(blind.detail.size(), 1U);
    EXPECT_EQ(blind.detail[0].key, "skipped");
    EXPECT_EQ(blind.detail[0].number, 3000);
    EXPECT_EQ(h.check->judge(window_of(0), {}).verdict, Verdict::kNoVerdict);
    const Judgement one = h.check->judge(window_of(3001), tally);
    EXPECT_EQ(one.verdict, Verdict::kOk) << name;
    EXPECT_EQ(one.n, 1U);
  }
}

TEST(DetectorCheck, AWindowHasTheWorstVerdictOfItsRecords) {
  Harness h("ddm", {}, {{.name = "x", .kind = FieldKind::kFlag}});
  stats::Tally tally;
  tally.failed = 2;
  tally.worst = static_cast<double>(Verdict::kWarn);
  EXPECT_EQ(h.check->judge(window_of(9), tally).verdict, Verdict::kWarn);
  EXPECT_EQ(h.check->judge(window_of(9), tally).value, 2);
  tally.worst = static_cast<double>(Verdict::kFail);
  EXPECT_EQ(h.check->judge(window_of(9), tally).verdict, Verdict::kFail);
}

}  // namespace
}  // namespace driftd::rules::detector_test
