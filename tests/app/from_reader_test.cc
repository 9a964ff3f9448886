#include "app/config/from_reader.h"

#include <gtest/gtest.h>

#include "app/config/config.h"

namespace driftd::app {
namespace {

Config read(const std::string& from, const std::string& decode, const std::string& fields, std::string& said) {
  ErrorList errors;
  Config config =
      read_config("streams:\n  s:\n    from: " + from + "\n    decode: " + decode + "\n    fields: " + fields + "\n", "", errors);
  said = format_errors("c", errors);
  return config;
}

std::string mqtt(const std::string& topic_fields) {
  return "{mqtt: {url: \"mqtt://b\", topics: [a], client_id: c, topic_fields: " + topic_fields + "}}";
}

TEST(TopicFields, AreThePathsOfFields) {
  std::string said;
  const std::string fields = "{x: number, site: {type: category, role: segment}, pump: category}";
  const StreamConfig with = read(mqtt("_/site/_/pump"), "{time: ts}", fields, said).streams.at(0);
  EXPECT_EQ(said, "");
  EXPECT_EQ(with.schema.fields[0].path, "");
  EXPECT_EQ(with.schema.fields[1].path, "@topic/2");
  EXPECT_EQ(with.schema.fields[2].path, "@topic/4");
  const StreamConfig moved = read(mqtt("site/_/_/pump"), "{time: ts}", fields, said).streams.at(0);
  EXPECT_NE(with.hash, moved.hash) << "what a record says has changed";
}

TEST(TopicFields, RefuseWhatNamesNothing) {
  const std::vector<std::array<const char*, 3>> cases = {
      {"_/sit/_", "{x: number, site: category}", "did you mean 'site'?"},
      {"_/site", "{x: number}", "add it to fields"},
      {"_/_", "{x: number}", "names no field"},
      {"x/_", "{x: number}", "not a number"},
      {"_/site", "{x: number, site: {type: category, path: /a}}", "has a place already"},
      {"site/site", "{x: number, site: category}", "has a place already"},
  };
  for (const auto& [pattern, fields, wanted] : cases) {
    std::string said;
    read(mqtt(pattern), "{time: ts}", fields, said);
    EXPECT_NE(said.find(wanted), std::string::npos) << pattern << ": " << said;
    EXPECT_EQ(said.rfind("c:3:", 0) == 0 || said.rfind("c:5:", 0) == 0, true) << said;
  }
}

TEST(AgreeOnCsv, TheSourceTakesTheDecodersSeparator) {
  std::string said;
  const Config config =
      read("{file: {paths: [a], format: csv}}", "{format: csv, time: ts, separator: \";\", collapse: true}", "{x: number}", said);
  EXPECT_EQ(said, "");
  EXPECT_EQ(config.streams.at(0).source_params.text("separator"), ";");
  EXPECT_TRUE(config.streams.at(0).source_params.boolean("collapse"));
  EXPECT_EQ(config.streams.at(0).source_params.text("quote"), "\"");
}

TEST(AgreeOnCsv, RefusesWhatCannotWork) {
  std::string said;
  read("{file: {paths: [a], format: csv}}", "{format: json, time: ts}", "{x: number}", said);
  EXPECT_NE(said.find("c:3:39: stream s: from: file: format csv reads CSV rows"), std::string::npos) << said;
  read("{file: {paths: [a], format: csv, separator: \";\"}}", "{format: csv, time: ts}", "{x: number}", said);
  EXPECT_NE(said.find("separator differs from decode's"), std::string::npos) << said;
  read("{file: {paths: [a], format: csv, separator: \";\"}}", "{format: csv, time: ts, separator: \";\"}", "{x: number}", said);
  EXPECT_EQ(said, "");
  read("{file: {paths: [a], format: json_lines}}", "{format: csv, time: ts}", "{x: number}", said);
  EXPECT_EQ(said, "") << "a CSV row a line";
}

std::string two_streams(const std::string& a, const std::string& b) {
  ErrorList errors;
  const std::string rest = ", decode: {time: ts}, fields: {x: number}}\n";
  read_config("streams:\n  a: {from: " + a + rest + "  b: {from: " + b + rest, "", errors);
  return format_errors("c", errors);
}

TEST(Rivals, StreamsDoNotTakeEachOthersRecords) {
  const auto kafka = [](const std::string& topics, const std::string& group) {
    return "{kafka: {brokers: [b], topics: " + topics + ", group: " + group + "}}";
  };
  EXPECT_NE(two_streams(kafka("[t, u]", "g"), kafka("[u]", "g")).find("c:3:13: stream b: from: stream a has the same group g for topic u"),
            std::string::npos);
  EXPECT_EQ(two_streams(kafka("[t]", "g"), kafka("[u]", "g")), "");
  EXPECT_EQ(two_streams(kafka("[t]", "g"), kafka("[t]", "h")), "");
  const auto client = [](const std::string& url, const std::string& id) {
    return "{mqtt: {url: \"" + url + "\", topics: [a], client_id: " + id + "}}";
  };
  EXPECT_NE(two_streams(client("mqtt://b", "c"), client("mqtt://b", "c")).find("the same client_id c"), std::string::npos);
  EXPECT_EQ(two_streams(client("mqtt://b", "c"), client("mqtt://b", "d")), "");
  EXPECT_EQ(two_streams(client("mqtt://b", "c"), client("mqtt://e", "c")), "");
}

}  // namespace
}  // namespace driftd::app
