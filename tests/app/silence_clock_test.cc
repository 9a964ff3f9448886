#include "app/run/silence_clock.h"

#include <gtest/gtest.h>

namespace driftd::app {
namespace {

constexpr Duration kLook = kSecond / 10;

class SilenceClockTest : public ::testing::Test {
 protected:
  // Looks as often as the polling thread does.
  void pass(Duration time, bool connected = true) {
    for (const Duration until = now_ + time; now_ < until;) {
      now_ += kLook;
      clock_.look(now_, connected);
    }
  }
  void hold_up(Duration time) {
    now_ += time;
    clock_.look(now_, true);
  }
  Duration silent_for(Duration heard) const { return clock_.silent_for(heard, now_); }

  Duration now_ = 1000 * kSecond;
  SilenceClock clock_{now_};
};

TEST_F(SilenceClockTest, CountsWhileTheServerIsThere) {
  pass(kLook);
  const Duration heard = clock_.listened(now_);
  pass(30 * kSecond);
  EXPECT_EQ(silent_for(heard), 30 * kSecond);
}

TEST_F(SilenceClockTest, BeginsAnewWhenTheServerIsBack) {
  pass(kLook);
  const Duration heard = clock_.listened(now_);
  pass(20 * kSecond);
  pass(kHour, false);
  pass(kLook);
  EXPECT_EQ(silent_for(heard), 0) << "neither the hour nor what was before";
  pass(5 * kSecond);
  EXPECT_EQ(silent_for(heard), 5 * kSecond);
  EXPECT_EQ(silent_for(clock_.listened(now_)), 0);
}

TEST_F(SilenceClockTest, TheFirstConnectionIsABeginToo) {
  const Duration assigned = clock_.listened(now_);
  pass(kMinute, false);
  pass(2 * kSecond);
  EXPECT_EQ(silent_for(assigned), 2 * kSecond - kLook);
}

TEST_F(SilenceClockTest, DoesNotCountWhatHeldUpWhoListens) {
  pass(kLook);
  const Duration heard = clock_.listened(now_);
  pass(10 * kSecond);
  hold_up(kHour);
  EXPECT_EQ(silent_for(heard), 10 * kSecond) << "a silence from before goes on";
  pass(10 * kSecond);
  EXPECT_EQ(silent_for(heard), 20 * kSecond);
  hold_up(SilenceClock::kHeldUp);
  EXPECT_EQ(silent_for(heard), 20 * kSecond + SilenceClock::kHeldUp) << "at the bound it counts";
  hold_up(SilenceClock::kHeldUp + 1);
  EXPECT_EQ(silent_for(heard), 20 * kSecond + SilenceClock::kHeldUp);
}

}  // namespace
}  // namespace driftd::app
