#include "ingest/time_jump.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

constexpr Time kNow = 1700000000 * kSecond;

TEST(TimeJump, OneTimeInTheFarFutureIsNotBelieved) {
  TimeJump jump;
  EXPECT_TRUE(jump.believe(kNow));
  EXPECT_FALSE(jump.believe(kNow + 200 * 365 * kDay));
  EXPECT_TRUE(jump.believe(kNow + kSecond));
  EXPECT_FALSE(jump.believe(kNow + 200 * 365 * kDay)) << "two that are not in a row";
  EXPECT_TRUE(jump.believe(kNow + 2 * kSecond));
}

TEST(TimeJump, GapsUpToTheBoundCostNothing) {
  TimeJump jump;
  EXPECT_TRUE(jump.believe(kNow));
  EXPECT_TRUE(jump.believe(kNow + TimeJump::kFar));
  EXPECT_FALSE(jump.believe(kNow + 2 * TimeJump::kFar + 1));
}

TEST(TimeJump, ThreeInARowAreAGapInTheData) {
  TimeJump jump;
  EXPECT_TRUE(jump.believe(kNow));
  const Time later = kNow + 90 * kDay;
  EXPECT_FALSE(jump.believe(later));
  EXPECT_FALSE(jump.believe(later + kSecond));
  EXPECT_TRUE(jump.believe(later + 2 * kSecond));
  EXPECT_TRUE(jump.believe(later + 3 * kSecond));
  EXPECT_TRUE(jump.believe(kNow)) << "late is another matter";
}

TEST(TimeJump, ThoseThatDisagreeAreNoWitnesses) {
  TimeJump jump;
  EXPECT_TRUE(jump.believe(kNow));
  for (int i = 1; i < 6; ++i) EXPECT_FALSE(jump.believe(kNow + i * 100 * kDay)) << i;
}

TEST(TimeJump, GoesOnAfterARestart) {
  TimeJump jump;
  jump.believe(kNow);
  jump.believe(kNow + 90 * kDay);
  jump.believe(kNow + 90 * kDay);
  ByteWriter out;
  jump.save(out);
  TimeJump again;
  ByteReader in(out.bytes());
  ASSERT_TRUE(again.load(in).ok());
  EXPECT_TRUE(again.believe(kNow + 90 * kDay));
  std::string damaged(out.bytes());
  damaged[16] = 3;
  ByteReader wrong(damaged);
  EXPECT_FALSE(again.load(wrong).ok());
}

}  // namespace
}  // namespace driftd::ingest
