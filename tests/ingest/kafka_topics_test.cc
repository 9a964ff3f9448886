#include "ingest/kafka_topics.h"

#include <librdkafka/rdkafka.h>

#include "tests/ingest/kafka_cluster.h"

namespace driftd::ingest {
namespace {

constexpr std::uint32_t kFirst = 3;                        // a partition of topic "a"
constexpr std::uint32_t kOther = kPartitionsPerTopic + 3;  // of topic "b"

class KafkaTopicsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto conf = kafka_conf(connection_, {{"group.id", "g"}, {"log_level", "0"}});
    auto client = kafka_consumer(std::move(conf).value(), nullptr);
    ASSERT_TRUE(client.ok());
    client_ = std::move(client).value();
    const rd_kafka_metadata_t* told = nullptr;  // connected, so that look() need not wait for that
    ASSERT_EQ(rd_kafka_metadata(client_.get(), 1, nullptr, &told, 30000), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_metadata_destroy(told);
    topics_.emplace(std::vector<std::string>{"a", "b"}, connection_, client_);
  }

  KafkaCluster cluster_;
  KafkaConnection connection_{{cluster_.brokers()}, {}, ""};
  KafkaHandle client_;
  std::optional<KafkaTopics> topics_;
};

TEST_F(KafkaTopicsTest, OnlyWhatABrokerSaidOfATopicOfOursMakesItMissing) {
  EXPECT_EQ(topics_->trouble(), "");
  EXPECT_FALSE(topics_->report(RD_KAFKA_RESP_ERR__TRANSPORT, "a", ""));
  EXPECT_FALSE(topics_->report(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "c", ""));
  EXPECT_FALSE(topics_->report(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, "", "ab [0]: desired partition is no longer available"));
  EXPECT_EQ(topics_->trouble(), "");
  EXPECT_FALSE(topics_->doubtful(kFirst));
  EXPECT_TRUE(topics_->report(RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, "", "a [0]: desired partition is no longer available"));
  EXPECT_NE(topics_->trouble().find("'a'"), std::string::npos);
  EXPECT_EQ(topics_->trouble().find("'b'"), std::string::npos);
  EXPECT_TRUE(topics_->doubtful(kFirst));
  EXPECT_FALSE(topics_->doubtful(kOther));
}

TEST_F(KafkaTopicsTest, ATopicThatIsThereAgainIsDoubtfulUntilThatIsSettled) {
  cluster_.create("a", 1);
  topics_->report(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "a", "");
  const KafkaPartitions partitions({"a", "b"}, client_);
  EXPECT_EQ(topics_->same(kFirst, partitions), std::nullopt) << "nobody has looked yet";
  topics_->look();
  EXPECT_EQ(topics_->trouble(), "");
  EXPECT_TRUE(topics_->doubtful(kFirst));
  EXPECT_EQ(topics_->same(kFirst, partitions), std::optional(false)) << "nothing was read that could tell them apart";
  topics_->settled(kFirst);
  EXPECT_FALSE(topics_->doubtful(kFirst));
  EXPECT_TRUE(topics_->doubtful(kFirst + 1));
  topics_->report(RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, "a", "");
  EXPECT_TRUE(topics_->doubtful(kFirst)) << "it was missing once more";
}

TEST_F(KafkaTopicsTest, ATopicThatMayBeSeenButNotReadStaysDenied) {
  cluster_.create("b", 1);
  EXPECT_TRUE(topics_->report(RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, "b", ""));
  topics_->look();
  EXPECT_NE(topics_->trouble().find("topic 'b' must not be read"), std::string::npos);
  EXPECT_FALSE(topics_->doubtful(kOther)) << "its positions are as good as before";
}

}  // namespace
}  // namespace driftd::ingest
