#include "ingest/link_status.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace driftd::ingest {
namespace {

class LinkStatusTest : public ::testing::Test {
 protected:
  // Lines that `act` logs.
  template <class Act>
  static long lines(const Act& act) {
    ::testing::internal::CaptureStderr();
    act();
    const std::string text = ::testing::internal::GetCapturedStderr();
    return std::count(text.begin(), text.end(), '\n');
  }
  double reconnects() { return telemetry_.series(Metric::kSourceReconnects, {"pumps", "mqtt"}).value(); }

  Telemetry telemetry_;
  LinkStatus status_{"mqtt", "pumps", &telemetry_};
};

TEST_F(LinkStatusTest, SaysWhereItIsConnectingTo) {
  EXPECT_FALSE(status_.snapshot().connected);
  status_.connecting("broker:1883");
  EXPECT_FALSE(status_.snapshot().connected);
  EXPECT_EQ(status_.snapshot().detail, "connecting to broker:1883");
  status_.up();
  status_.assigned(true);
  EXPECT_TRUE(status_.snapshot().connected);
  EXPECT_TRUE(status_.snapshot().assigned);
  EXPECT_EQ(status_.snapshot().detail, "");
}

TEST_F(LinkStatusTest, SaysWhyItIsDownAndCountsLossesOnly) {
  status_.connecting("b");
  status_.down();
  EXPECT_EQ(reconnects(), 0) << "it was never up";
  status_.up();
  status_.note("connection refused");
  EXPECT_EQ(status_.snapshot().detail, "") << "kept for later";
  status_.down();
  EXPECT_FALSE(status_.snapshot().connected);
  EXPECT_EQ(status_.snapshot().detail, "connection refused");
  EXPECT_EQ(reconnects(), 1);
  status_.note("timed out");
  status_.down();
  EXPECT_EQ(status_.snapshot().detail, "timed out") << "the newest reason";
  EXPECT_EQ(reconnects(), 1);
}

TEST_F(LinkStatusTest, LogsAChangeOnce) {
  EXPECT_EQ(lines([&] { status_.down(); }), 1);
  EXPECT_EQ(lines([&] { status_.down(); }), 0);
  EXPECT_EQ(lines([&] { status_.up(); }), 1);
  EXPECT_EQ(lines([&] { status_.up(); }), 0);
  EXPECT_EQ(lines([&] { status_.down(); }), 1) << "each outage";
  EXPECT_EQ(lines([&] { status_.note("x"); }), 0);
}

TEST_F(LinkStatusTest, TroubleIsShownUntilItIsOver) {
  status_.up();
  EXPECT_EQ(lines([&] { status_.trouble("topic refused"); }), 1);
  EXPECT_EQ(lines([&] { status_.trouble("topic refused"); }), 0);
  EXPECT_TRUE(status_.snapshot().connected);
  EXPECT_EQ(status_.snapshot().detail, "topic refused");
  EXPECT_EQ(lines([&] { status_.well(); }), 1);
  EXPECT_EQ(lines([&] { status_.well(); }), 0);
  EXPECT_EQ(status_.snapshot().detail, "");
}

TEST_F(LinkStatusTest, ClosedIsTheEnd) {
  status_.up();
  status_.assigned(true);
  status_.lags({{3, 17}});
  ASSERT_EQ(status_.snapshot().partitions.size(), 1U);
  EXPECT_EQ(status_.snapshot().partitions[0].lag, 17);
  status_.closed();
  const SourceStatus s = status_.snapshot();
  EXPECT_FALSE(s.connected || s.assigned);
  EXPECT_TRUE(s.partitions.empty());
  EXPECT_EQ(s.detail, "closed");
}

TEST(LinkStatus, NeedsNoTelemetry) {
  LinkStatus status("kafka", "s", nullptr);
  status.up();
  status.down();
  EXPECT_FALSE(status.snapshot().connected);
}

TEST_F(LinkStatusTest, WhatIsMissingStaysUntilItIsThereWhateverElseHappens) {
  status_.connecting("b");
  status_.assigned(true);
  status_.up();
  EXPECT_TRUE(status_.snapshot().ready());
  EXPECT_EQ(lines([&] {
              status_.missing("topic t");
              status_.missing("topic t");
            }),
            1);
  EXPECT_FALSE(status_.snapshot().ready());
  status_.trouble("other");
  status_.well();
  status_.down();
  status_.up();
  EXPECT_EQ(status_.snapshot().missing, "topic t");
  EXPECT_FALSE(status_.snapshot().ready());
  EXPECT_EQ(lines([&] { status_.missing(""); }), 1);
  EXPECT_TRUE(status_.snapshot().ready());
}

}  // namespace
}  // namespace driftd::ingest
