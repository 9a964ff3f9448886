#include "ingest/kafka_statistics.h"

#include <gtest/gtest.h>

namespace driftd::ingest {
namespace {

TEST(KafkaStatistics, ReadsWhatIsKnown) {
  const auto read = read_kafka_statistics(R"({
    "brokers": {"a": {"state": "DOWN"}, "b": {"state": "UP"}}, "cgrp": {"join_state": "steady"},
    "topics": {"t": {"partitions": {
      "0": {"partition": 0, "hi_offset": 12, "ls_offset": 10},
      "1": {"partition": 1, "hi_offset": 5, "ls_offset": -1001},
      "2": {"partition": 2, "hi_offset": -1001, "ls_offset": -1001},
      "-1": {"partition": -1, "hi_offset": 3, "ls_offset": 3}}}}})");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->broker_up);
  EXPECT_TRUE(read->group_ready);
  ASSERT_EQ(read->partitions.size(), 2U);
  EXPECT_EQ(read->partitions[0].end, 10);
  EXPECT_EQ(read->partitions[1].end, 5);
}

TEST(KafkaStatistics, SurvivesAnything) {
  for (const char* text : {"", "[]", "{", "1", "null"}) EXPECT_FALSE(read_kafka_statistics(text)) << text;
  for (const char* text :
       {"{}", R"({"topics":[]})", R"({"topics":{"t":{"partitions":{"0":7}}}})", R"({"brokers":{"a":1},"cgrp":3,"topics":{"t":null}})"}) {
    const auto read = read_kafka_statistics(text);
    ASSERT_TRUE(read) << text;
    EXPECT_FALSE(read->broker_up);
    EXPECT_TRUE(read->partitions.empty());
  }
}

}  // namespace
}  // namespace driftd::ingest
