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

TEST_F(MqttSessionTest, RemembersWhereInTheJournalItBegan) {
  EXPECT_EQ(session().begin(), 0);
  ASSERT_TRUE(session().begun(41).ok());
  EXPECT_EQ(session().begin(), 41);
  EXPECT_FALSE(session().expected());
  MqttSession used = session();
  ASSERT_TRUE(used.subscribed({"t"}).ok());
  EXPECT_EQ(session().begin(), 41);
  EXPECT_EQ(session().topics(), Topics{"t"});
  ASSERT_TRUE(used.begun(50).ok());
  EXPECT_EQ(session().begin(), 50);
  EXPECT_TRUE(session().expected()) << "topics are of the session before, until the new one has them";
  EXPECT_EQ(session("driftd-2").begin(), 0);
}

TEST_F(MqttSessionTest, ReadsAFileFromBeforeItRememberedThat) {
  std::ofstream(path_) << "driftd-1 b:1883\nt\n";
  EXPECT_EQ(session().topics(), Topics{"t"});
  EXPECT_EQ(session().begin(), 0);
  for (const char* wrong : {"driftd-1 b:1883 from \nt\n", "driftd-1 b:1883 from -1\nt\n", "driftd-1 b:1883 from x\nt\n"}) {
    std::ofstream(path_) << wrong;
    EXPECT_FALSE(session().expected()) << wrong;
  }
}

TEST_F(MqttSessionTest, AnEmptyFileIsNoSession) {
  std::ofstream(path_).flush();
  EXPECT_FALSE(session().expected());
}

}  // namespace
}  // namespace driftd::ingest
