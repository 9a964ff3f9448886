#include "tests/rules/check_harness.h"

namespace driftd::rules {
namespace {

TEST(Gap, FindsARecordAfterALongSilence) {
  Harness h("gap", {{"max", "30s"}}, {number_field()}, -1);
  h.feed({{"a", 0, {1}}, {"a", 30 * kSecond, {1}}, {"b", 0, {1}}, {"a", 61 * kSecond, {1}}});
  EXPECT_EQ(h.failed, U{3});
  EXPECT_EQ(h.values, std::vector<double>{31});
}

TEST(Gap, FindsASensorThatIsSilentAtTheWindowsEnd) {
  Harness h("gap", {{"max", "30s"}, {"forget_after", "1h"}}, {number_field()}, -1);
  h.feed({{"a", 0, {1}}, {"b", 50 * kSecond, {1}}});
  std::vector<SensorHit> silent;
  h.check->on_close(0, kMinute, silent);
  ASSERT_EQ(silent.size(), 1U);
  EXPECT_EQ(h.dictionaries.sensors.text(silent[0].sensor), "a");
  EXPECT_EQ(silent[0].value, 60);
  silent.clear();
  h.check->on_close(kMinute, 2 * kMinute, silent);
  EXPECT_EQ(silent.size(), 2U) << "both, and again until they speak";
  silent.clear();
  h.check->on_close(2 * kHour, 2 * kHour + kMinute, silent);
  EXPECT_TRUE(silent.empty()) << "forgotten";
}

}  // namespace
}  // namespace driftd::rules
