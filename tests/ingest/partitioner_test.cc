#include "ingest/partitioner.h"

#include <gtest/gtest.h>

#include <set>

namespace driftd::ingest {
namespace {

TEST(Partitioner, ASensorIsInOnePartitionHoweverItIsWritten) {
  Partitioner p("id", 16);
  const auto expected = p("", R"({"id":"a/b","v":1})");
  EXPECT_EQ(p("t", R"({"v":2,"id":"a\/b"})"), expected);
  EXPECT_EQ(p("u", R"( { "id" : "\u0061/b" } )"), expected);
  EXPECT_EQ(p("", R"({"id":12})"), p("", R"({"id":"12"})")) << "an integer counts as its digits";
}

TEST(Partitioner, ReadsWhatTheDecoderReads) {
  Partitioner p("id", 64), nested("/m/1/id", 64);
  const auto x = p("", R"({"id":"x"})");
  ASSERT_NE(x, p("", R"({"id":"y"})"));
  EXPECT_EQ(p("", R"({"id":"y","id":"x"})"), x) << "the last one counts";
  EXPECT_EQ(p("", R"({"id":"y","i\u0064":"x"})"), x) << "escapes in a key";
  EXPECT_EQ(p("t", R"({"id":"y","id":{}})"), p("t", "{}")) << "and when it is none, there is none";
  EXPECT_EQ(nested("", R"({"m":[{"id":"y"},{"id":"x"}]})"), x);
  EXPECT_EQ(nested("", R"({"m":[0,{"id":"y"}],"m":[0,{"id":"x"},2]})"), x);
  EXPECT_EQ(nested("t", R"({"m":[0,{"id":"y"}],"m":[0]})"), nested("t", "{}")) << "all of the first is replaced";
}

TEST(Partitioner, FindsPointersAndOddNames) {
  Partitioner nested("/meta/id", 64);
  EXPECT_EQ(nested("", R"({"meta":{"id":"x"}})"), Partitioner("id", 64)("", R"({"id":"x"})"));
  Partitioner odd("a/~b", 64);
  EXPECT_EQ(odd("", R"({"a/~b":"x"})"), Partitioner("id", 64)("", R"({"id":"x"})"));
}

TEST(Partitioner, FallsBackToTheTopic) {
  Partitioner by_topic("@topic", 64);
  Partitioner p("id", 64);
  for (const char* payload :
       {"", "x", "{}", R"({"id":null})", R"({"id":1.5})", R"({"id":""})", R"({"id":{}})", "\xff\xfe", R"({"id":"a)"}) {
    EXPECT_EQ(p("plant/7", payload), by_topic("plant/7", "whatever")) << payload;
  }
}

TEST(Partitioner, ALevelOfTheTopicIsTheSensor) {
  Partitioner p("@topic/3", 64);
  Partitioner by_topic("@topic", 64);
  EXPECT_EQ(p("plant/hall-3/pump-7", ""), by_topic("pump-7", ""));
  EXPECT_EQ(p("plant/hall-4/pump-7/fast", "{}"), by_topic("pump-7", ""));
}

TEST(Partitioner, SpreadsAndStaysInRange) {
  Partitioner p("@topic", 16);
  std::set<std::uint32_t> seen;
  for (int i = 0; i < 1000; ++i) seen.insert(p("plant/" + std::to_string(i), ""));
  EXPECT_EQ(seen.size(), 16U);
  EXPECT_EQ(*seen.rbegin(), 15U);
  EXPECT_EQ(Partitioner("@topic", 1)("x", ""), 0U);
}

// The numbers are stored with the state of partitions, so they must never change.
TEST(Partitioner, NeverChanges) {
  Partitioner p("@topic", 1024);
  EXPECT_EQ(p("skab/valve1/flow", ""), 198U);
  EXPECT_EQ(p("plant/pump-07", ""), 238U);
}

}  // namespace
}  // namespace driftd::ingest
