#include "core/trusted_clock.h"

#include <gtest/gtest.h>

#include <utility>

namespace driftd {
namespace {

constexpr Time kStart = 1'700'000'000 * kSecond;

class TrustedClockTest : public testing::Test {
 protected:
  void pass(Duration d) {
    elapsed_ += d;
    wall_.advance(d);
  }
  void set(Duration by) { wall_.advance(by); }
  Duration behind() {
    const auto [now, behind] = clock_.read();
    EXPECT_EQ(behind.least, behind.most);
    EXPECT_EQ(clock_.latest(), wall_.now() + behind.least);
    EXPECT_EQ(now, wall_.now()) << "never anything else";
    return behind.least;
  }

  Duration elapsed_ = 5 * kHour;
  ManualClock wall_{kStart};
  TrustedClock clock_{wall_, [this] { return elapsed_; }};
};

TEST_F(TrustedClockTest, IsBelievedAsLongAsItRuns) {
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(behind(), 0);
    pass(kHour);
  }
}

TEST_F(TrustedClockTest, OneThatIsSetBackIsBehindUntilItIsRightAgain) {
  pass(kDay);
  set(-2 * kHour);
  EXPECT_EQ(behind(), 2 * kHour);
  pass(kHour);
  EXPECT_EQ(behind(), 2 * kHour);
  set(2 * kHour);
  EXPECT_EQ(behind(), 0);
}

TEST_F(TrustedClockTest, SetBackAndThenTooFarAheadIsBelieved) {
  pass(kDay);
  set(-2 * kHour);
  EXPECT_EQ(behind(), 2 * kHour);
  set(3 * kHour);
  EXPECT_EQ(behind(), 0);
  set(-kMinute);
  EXPECT_EQ(behind(), kMinute);
}

TEST_F(TrustedClockTest, SetBackTwiceIsBehindByBoth) {
  pass(kDay);
  set(-kHour);
  EXPECT_EQ(behind(), kHour);
  set(-kMinute);
  EXPECT_EQ(behind(), kHour + kMinute);
  set(30 * kMinute);
  EXPECT_EQ(behind(), 31 * kMinute);
}

TEST_F(TrustedClockTest, ThereIsDoubtForAsLongAsItHadRun) {
  pass(kDay);
  set(-2 * kHour);
  EXPECT_EQ(behind(), 2 * kHour);
  pass(kDay - 1);
  EXPECT_EQ(behind(), 2 * kHour);
  pass(1);
  EXPECT_EQ(behind(), 0);
  set(-kHour);
  EXPECT_EQ(behind(), kHour) << "from there on";
}

TEST_F(TrustedClockTest, ThereIsDoubtForTenMinutesAtLeastAndAWeekAtMost) {
  set(-2 * kHour);
  EXPECT_EQ(behind(), 2 * kHour);
  pass(TrustedClock::kShortestDoubt - 1);
  EXPECT_EQ(behind(), 2 * kHour);
  pass(1);
  EXPECT_EQ(behind(), 0);
  pass(30 * kDay);
  EXPECT_EQ(behind(), 0);
  set(-2 * kHour);
  EXPECT_EQ(behind(), 2 * kHour);
  pass(TrustedClock::kLongestDoubt - 1);
  EXPECT_EQ(behind(), 2 * kHour);
  pass(1);
  EXPECT_EQ(behind(), 0);
}

TEST_F(TrustedClockTest, OneThatIsSetAheadAndThenBackToWhereItWasIsBelieved) {
  pass(kDay);
  set(kHour);
  EXPECT_EQ(behind(), 0);
  pass(kMinute);
  set(-kHour);
  EXPECT_EQ(behind(), 0);
  set(-kHour);
  EXPECT_EQ(behind(), kHour);
  pass(kDay - kMinute);
  EXPECT_EQ(behind(), kHour) << "it had run for a day before";
  pass(kMinute);
  EXPECT_EQ(behind(), 0);
}

TEST_F(TrustedClockTest, OneThatIsSetAheadAndBackToElsewhereIsNot) {
  pass(kDay);
  set(2 * kHour);
  EXPECT_EQ(behind(), 0);
  pass(kMinute);
  set(-kHour);
  EXPECT_EQ(behind(), kHour);
}

TEST_F(TrustedClockTest, LessThanASecondIsNoSetting) {
  for (int i = 0; i < 10; ++i) {
    pass(kMinute);
    set(-TrustedClock::kSet);
    EXPECT_EQ(behind(), 0);
  }
  set(-TrustedClock::kSet - 1);
  EXPECT_EQ(behind(), TrustedClock::kSet + 1);
}

TEST_F(TrustedClockTest, BehindWhatAnEarlierProcessWroteDownItMayBeBehindByMore) {
  clock_.was(kStart + kSecond);
  EXPECT_EQ(behind(), 0);
  clock_.was(kStart - kDay);
  EXPECT_EQ(behind(), 0);
  clock_.was(kStart + kDay);
  Clock::Behind b = clock_.read().behind;
  EXPECT_EQ(b.least, kDay);
  EXPECT_EQ(b.most, kDay + TrustedClock::kLongestAbsence);
  EXPECT_EQ(clock_.latest(), kStart + kDay);
  pass(kHour);
  b = clock_.read().behind;
  EXPECT_EQ(b.least, kDay);
  EXPECT_EQ(clock_.latest(), kStart + kDay + kHour);
  set(2 * kDay);
  EXPECT_EQ(behind(), 0);
  set(-kDay);
  EXPECT_EQ(behind(), kDay) << "what may have passed before is known now";
}

TEST_F(TrustedClockTest, WhatAnEarlierProcessWroteDownIsGivenUpToo) {
  clock_.was(kStart + 30 * kDay);
  pass(TrustedClock::kLongestDoubt - 1);
  EXPECT_EQ(clock_.read().behind.least, 30 * kDay);
  pass(1);
  EXPECT_EQ(behind(), 0);
}

TEST(TrustedClock, AThreadThatIsHeldUpBetweenTheReadingsLeavesNoDoubt) {
  struct HeldUp final : Clock {
    Time now() const override {
      const Duration d = std::exchange(held_up, 0);
      elapsed += d;
      wall += d;
      return wall;
    }
    mutable Time wall = kStart;
    mutable Duration elapsed = 0;
    mutable Duration held_up = 0;
  } wall;
  const TrustedClock clock(wall, [&] { return wall.elapsed; });
  wall.held_up = kMinute;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(clock.read().behind.most, 0);
    EXPECT_EQ(clock.latest(), wall.wall);
    wall.elapsed += kSecond;
    wall.wall += kSecond;
  }
}

}  // namespace
}  // namespace driftd
