#include <gtest/gtest.h>

#include "notifier_harness.h"

namespace driftd::alerts {
namespace {

TEST(LogNotifier, OneLineAnAlert) {
  ManualClock clock;
  auto notifier = make_notifier("log", "", clock);
  ASSERT_TRUE(notifier.ok());
  Message m = sample_message();
  m.alerts.push_back(sample_alert("b"));
  m.alerts[1].summary = "two\nlines";
  testing::internal::CaptureStderr();
  EXPECT_EQ((*notifier)->send(m, Deadline::after(0)).result, Delivery::Result::kDelivered);
  const std::string text = testing::internal::GetCapturedStderr();
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2) << text;
  EXPECT_NE(text.find("alert.firing fingerprint=" + m.alerts[0].fingerprint), std::string::npos);
  EXPECT_NE(text.find("severity=critical"), std::string::npos);
  EXPECT_NE(text.find("two?lines"), std::string::npos);
}

}  // namespace
}  // namespace driftd::alerts
