#include "ingest/back_off.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <set>

namespace driftd::ingest {
namespace {

constexpr Duration kFirst = 500 * kMillisecond, kLongest = 30 * kSecond;

TEST(BackOff, ATryIsDueUntilOneFails) {
  BackOff wait(kFirst, kLongest, 1);
  EXPECT_EQ(wait.left(0), 0);
  wait.failed(100);
  EXPECT_GT(wait.left(100), 0);
  EXPECT_EQ(wait.left(100 + kFirst), 0);
}

TEST(BackOff, WaitsDoubleUpToTheLongestAndStayThere) {
  BackOff wait(kFirst, kLongest, 2);
  Duration most = kFirst;
  for (int failure = 0; failure < 1000; ++failure) {
    wait.failed(kHour);
    EXPECT_GE(wait.left(kHour), most / 2) << failure;
    EXPECT_LE(wait.left(kHour), most) << failure;
    most = std::min(2 * most, kLongest);
  }
}

TEST(BackOff, SuccessBeginsAgainWithTheFirstWait) {
  BackOff wait(kFirst, kLongest, 3);
  for (int failure = 0; failure < 20; ++failure) wait.failed(0);
  EXPECT_GE(wait.left(0), kLongest / 2);
  wait.succeeded();
  wait.failed(0);
  EXPECT_LE(wait.left(0), kFirst);
}

// A thousand clients whose server goes away at the same time: they come back spread over the whole range.
TEST(BackOff, ClientsDoNotComeBackTogether) {
  constexpr int kClients = 1000, kSlots = 10;
  std::array<int, kSlots> tries{};
  for (int client = 0; client < kClients; ++client) {
    BackOff wait(kFirst, kLongest, static_cast<std::uint64_t>(client));
    wait.failed(0);
    const Duration above = wait.left(0) - kFirst / 2;
    ++tries[static_cast<std::size_t>(std::min<Duration>(above * kSlots / (kFirst / 2), kSlots - 1))];
  }
  // Each slot has Binomial(1000, 0.1): mean 100, standard deviation 9.5; six of them either way.
  for (const int n : tries) EXPECT_NEAR(n, kClients / kSlots, 57);
}

TEST(BackOff, ClientsThatNameNoSeedDiffer) {
  std::set<Duration> waits;
  for (int client = 0; client < 20; ++client) {
    BackOff wait(kFirst, kLongest);
    wait.failed(0);
    waits.insert(wait.left(0));
  }
  EXPECT_GT(waits.size(), 10U);
}

}  // namespace
}  // namespace driftd::ingest
