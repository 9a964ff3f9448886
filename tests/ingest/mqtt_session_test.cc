#include "ingest/mqtt_session.h"

#include <gtest/gtest.h>

#include <fstream>

#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {
namespace {

using Topics = std::vector<std::string>;

class MqttSessionTest : public ::testing::Test {
 protected:
  MqttSession session(const std::string& client = "driftd-1", const std::string& broker = "b:1883") const {
    return {path_, client, broker};
  }
  TempFolder folder_;
  std::string path_ = folder_.path() + "/mqtt.session";
};

TEST_F(MqttSessionTest, ExpectsNothingOfABrokerItHasNeverSeen) {
  EXPECT_FALSE(session().expected());
  EXPECT_EQ(session().topics(), Topics{});
}

TEST_F(MqttSessionTest, RemembersWhatWasConfirmed) {
  const Topics topics = {"plant/+/telemetry", "a topic/with blanks", "#"};
  ASSERT_TRUE(session().subscribed(topics).ok());
  EXPECT_TRUE(session().expected());
  EXPECT_EQ(session().topics(), topics);
  ASSERT_TRUE(session().subscribed({"other"}).ok());
  EXPECT_EQ(session().topics(), Topics{"other"});
  EXPECT_FALSE(std::filesystem::exists(path_ + ".new"));
}

TEST_F(MqttSessionTest, AnotherClientOrBrokerIsAnotherSession) {
  ASSERT_TRUE(session().subscribed({"t"}).ok());
  EXPECT_FALSE(session("driftd-2").expected());
  EXPECT_FALSE(session("driftd-1", "b:1884").expected());
  EXPECT_TRUE(session().expected());
}

TEST_F(MqttSessionTest, AFileThatCannotBeWrittenIsAnError) {
  MqttSession nowhere(folder_.path() + "/missing/mqtt.session", "c", "b");
  const Status refused = nowhere.subscribed({"t"});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_FALSE(nowhere.expected()) << "nothing was remembered";
}

TEST_F(MqttSessionTest, AnEmptyFileIsNoSession) {
  std::ofstream(path_).flush();
  EXPECT_FALSE(session().expected());
}

}  // namespace
}  // namespace driftd::ingest
