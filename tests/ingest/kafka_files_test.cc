#include "ingest/kafka_files.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "tests/ingest/temp_folder.h"
#include "tests/pem_files.h"

namespace driftd::ingest {
namespace {

class KafkaFilesTest : public ::testing::Test {
 protected:
  KafkaFilesTest() { write_pem_files(folder_.path()); }
  std::string file(const std::string& name) const { return folder_.path() + "/" + name; }
  // Named as ca, certificate, key: what is said of each, the options without their ssl. and .location.
  static std::string said(const TextPairs& files) {
    TextPairs options;
    for (const auto& [name, path] : files) options.emplace_back(name.starts_with("ssl.") ? name : "ssl." + name + ".location", path);
    std::string out;
    for (const auto& [option, why] : kafka_file_problems(options)) {
      EXPECT_EQ(why.rfind("option '" + option + "': ", 0), 0U) << why;
      out += why + "\n";
    }
    return out;
  }
  TempFolder folder_;
};

TEST_F(KafkaFilesTest, WhatCanBeUsedIsTaken) {
  EXPECT_EQ(said({}), "");
  EXPECT_EQ(said({{"ca", file("cert")}, {"certificate", file("cert")}, {"key", file("key")}, {"crl", file("cert")}}), "");
  for (const std::string& authority : {std::string("probe"), std::string(), folder_.path()}) EXPECT_EQ(said({{"ca", authority}}), "");
  EXPECT_EQ(said({{"certificate", ""}, {"key", ""}}), "") << "librdkafka takes empty for not set";
  EXPECT_EQ(said({{"certificate", file("absent")}, {"certificate", file("cert")}, {"key", file("key")}}), "") << "the last counts";
}

TEST_F(KafkaFilesTest, WhatCannotIsNamed) {
  for (const char* name : {"absent", "text", "key"}) {
    EXPECT_NE(said({{"ca", file(name)}}).find("ssl.ca.location': '" + file(name) + "'"), std::string::npos) << name;
    const std::string why = said({{"certificate", file(name)}, {"key", file("key")}});
    EXPECT_NE(why.find("ssl.certificate.location': '" + file(name) + "'"), std::string::npos) << why;
    EXPECT_EQ(why.find("ssl.key"), std::string::npos) << "the key is fine: " << why;
  }
  for (const char* name : {"absent", "text", "encrypted", "other"}) {
    const std::string why = said({{"certificate", file("cert")}, {"key", file(name)}});
    EXPECT_NE(why.find("option 'ssl.key.location': "), std::string::npos) << why;
    EXPECT_NE(why.find("'" + file(name) + "'"), std::string::npos) << why;
    EXPECT_EQ(why.find("TopSecret"), std::string::npos) << why;
  }
  EXPECT_NE(said({{"crl", file("absent")}}).find(file("absent")), std::string::npos);
}

TEST_F(KafkaFilesTest, NeitherGoesWithoutTheOther) {
  EXPECT_NE(said({{"certificate", file("cert")}}).find("needs ssl.key.location"), std::string::npos);
  EXPECT_NE(said({{"key", file("key")}}).find("needs ssl.certificate.location"), std::string::npos);
  EXPECT_EQ(said({{"key", file("key")}, {"ssl.certificate.pem", "PEM"}}), "") << "it stands in the options";
}

// What librdkafka says by itself has no path in it.
TEST_F(KafkaFilesTest, AClientThatCannotBeMadeNamesTheFile) {
  const auto refused = [&](const TextPairs& options) {
    KafkaConnection connection{{"localhost:1"}, {{"security.protocol", "ssl"}, {"log_level", "0"}}, ""};
    connection.options.insert(connection.options.end(), options.begin(), options.end());
    auto conf = kafka_conf(connection, {{"group.id", "g"}});
    EXPECT_TRUE(conf.ok());
    const auto made = kafka_consumer(std::move(*conf), nullptr);
    return made ? "" : made.error().message;
  };
  const auto pair = [&](const std::string& key) {
    return TextPairs{{"ssl.certificate.location", file("cert")}, {"ssl.key.location", key}};
  };
  EXPECT_EQ(refused(pair(file("key"))), "");
  for (const char* name : {"absent", "text", "encrypted", "other"}) {
    const std::string why = refused(pair(file(name)));
    EXPECT_EQ(why.rfind("kafka: ssl.key.location failed", 0), 0U) << why;
    EXPECT_NE(why.find("'" + file(name) + "'"), std::string::npos) << why;
  }
  const std::string revoked = refused({{"ssl.crl.location", file("text")}});
  EXPECT_NE(revoked.find("ssl.crl.location is '" + file("text") + "'"), std::string::npos) << revoked;
}

}  // namespace
}  // namespace driftd::ingest
