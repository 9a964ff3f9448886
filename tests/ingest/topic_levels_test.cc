#include "ingest/topic_levels.h"

#include <gtest/gtest.h>

#include "tests/ingest/decode_harness.h"

namespace driftd::ingest {
namespace {

TEST(TopicLevels, ReadsTheNumberOfALevel) {
  EXPECT_EQ(topic_level("@topic/1"), 1U);
  EXPECT_EQ(topic_level("@topic/128"), 128U);
  for (const char* wrong : {"", "site", "@topic", "@topic/", "@topic/0", "@topic/129", "@topic/-1", "@topic/2x", "@topic/ 2",
                            "@topic/99999999999", "/@topic/1"}) {
    EXPECT_EQ(topic_level(wrong), 0U) << wrong;
  }
}

TEST(TopicLevels, CountsFromOneAndKeepsEmptyOnes) {
  EXPECT_EQ(level_of("plant/hall-3/pump-7", 1), "plant");
  EXPECT_EQ(level_of("plant/hall-3/pump-7", 2), "hall-3");
  EXPECT_EQ(level_of("plant/hall-3/pump-7", 3), "pump-7");
  EXPECT_EQ(level_of("plant/hall-3/pump-7", 4), "");
  EXPECT_EQ(level_of("/plant//x", 1), "");
  EXPECT_EQ(level_of("/plant//x", 2), "plant");
  EXPECT_EQ(level_of("/plant//x", 3), "");
  EXPECT_EQ(level_of("/plant//x", 4), "x");
  EXPECT_EQ(level_of("", 1), "");
}

Schema plant() {
  return {{{.name = "value", .kind = FieldKind::kNumber}, {.name = "site", .kind = FieldKind::kCategory, .path = "@topic/2"}}};
}

DecodeOptions by_third_level() {
  DecodeOptions options;
  options.sensor = "@topic/3";
  options.time = "ts";
  return options;
}

TEST(TopicLevels, AreSensorAndFieldOfJsonRecords) {
  DecodeHarness harness("json", by_third_level(), plant());
  RawRecord like;
  like.topic = "plant/hall-3/pump-7";
  harness.decode({R"({"ts":1767225600000,"value":1.5,"site":"ignored","@topic/2":"x"})"}, like);
  ASSERT_TRUE(harness.rejects.empty());
  EXPECT_EQ(harness.sensor(), "pump-7");
  EXPECT_EQ(harness.cell(0), "1.5");
  EXPECT_EQ(harness.cell(1), "hall-3") << "the record's own keys of that name do not count";
  EXPECT_EQ(harness.extra, (std::vector<std::string>{"site", "@topic/2"}));
}

TEST(TopicLevels, AreSensorAndFieldOfCsvRecords) {
  Node params = Node::map({{"columns", Node::list({Node::text("ts"), Node::text("value")})}, {"header", Node::text("false")}});
  DecodeHarness harness("csv", by_third_level(), plant(), params);
  RawRecord like;
  like.topic = "plant/hall-3/pump-7";
  harness.decode({"1767225600000,1.5"}, like);
  ASSERT_TRUE(harness.rejects.empty());
  EXPECT_EQ(harness.sensor(), "pump-7");
  EXPECT_EQ(harness.cell(1), "hall-3");
}

TEST(TopicLevels, AShortTopicHasNoSensorAndNoField) {
  DecodeHarness harness("json", by_third_level(), plant());
  RawRecord like;
  like.topic = "plant/hall-3";
  harness.decode({R"({"ts":1767225600000,"value":1.5})"}, like);
  ASSERT_EQ(harness.rejects.size(), 1U);
  EXPECT_EQ(harness.rejects[0].second, "missing_sensor");

  DecodeOptions one_sensor;
  one_sensor.time = "ts";
  DecodeHarness other("json", one_sensor, plant());
  like.topic = "plant";
  other.decode({R"({"ts":1767225600000,"value":1.5})"}, like);
  ASSERT_TRUE(other.rejects.empty());
  EXPECT_EQ(other.cell(1), "missing");
}

TEST(TopicLevels, RefusesPlacesThatAreNone) {
  Schema schema = plant();
  schema.fields[1].path = "@topics/2";
  const auto refused = TopicFields::make(schema);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("'@topics/2' names nothing"), std::string::npos) << refused.error().message;
  schema.fields[1] = {.name = "site", .kind = FieldKind::kNumber, .path = "@topic/2"};
  EXPECT_FALSE(TopicFields::make(schema).ok()) << "a number does not stand in a topic";
}

}  // namespace
}  // namespace driftd::ingest
