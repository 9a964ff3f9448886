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

}  // namespace
}  // namespace driftd::rules::detector_test
