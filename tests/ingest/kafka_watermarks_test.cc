#include "ingest/kafka_watermarks.h"

#include "core/clock.h"
#include "ingest/kafka_client.h"
#include "tests/ingest/kafka_cluster.h"

namespace driftd::ingest {
namespace {

KafkaHandle client_of(const KafkaCluster& cluster) {
  auto conf = kafka_conf({{cluster.brokers()}, {}, ""}, {{"group.id", "watermarks"}});
  return kafka_consumer(std::move(*conf), nullptr).value();
}

TEST(KafkaWatermarks, AreTheEndsOfThePartition) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 1, 5);
  const KafkaHandle client = client_of(cluster);
  const auto marks = kafka_watermarks(client.get(), "a", 1, 10000);
  ASSERT_TRUE(marks.ok()) << marks.error().message;
  EXPECT_EQ(marks->low, 0);
  EXPECT_EQ(marks->end, 5);
  EXPECT_EQ(*kafka_end(client.get(), "a", 0, 10000), 0);
}

// librdkafka's own call waits on until the broker is back.
TEST(KafkaWatermarks, OfABrokerThatIsDownComeToAnEnd) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  const KafkaHandle client = client_of(cluster);
  ASSERT_TRUE(kafka_end(client.get(), "a", 0, 10000).ok());
  rd_kafka_mock_broker_set_down(cluster.mock(), 1);
  const Duration begin = monotonic_now();
  const auto marks = kafka_watermarks(client.get(), "a", 0, 1000);
  ASSERT_FALSE(marks.ok());
  EXPECT_EQ(marks.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(marks.error().message.find("topic 'a'"), std::string::npos) << marks.error().message;
  EXPECT_LT(monotonic_now() - begin, 10 * kSecond);
  EXPECT_FALSE(kafka_end(client.get(), "a", 0, 1000).ok());
}

TEST(KafkaWatermarks, OnesWithoutALeaderHoldUpNoOthers) {
  KafkaCluster cluster;
  cluster.create("a", 3);
  cluster.create("b", 1);
  cluster.produce("a", 0, 5);
  cluster.produce("b", 0, 2);
  rd_kafka_mock_partition_set_leader(cluster.mock(), "a", 1, -1);
  const KafkaHandle client = client_of(cluster);
  const KafkaList list = new_kafka_list();
  for (const int partition : {0, 1, 2}) add_offset(*list, "a", partition, 77);
  add_offset(*list, "b", 0, 77);
  const Duration begin = monotonic_now();
  const Status asked = kafka_ends_where_led(client.get(), *list, 20000);
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  EXPECT_LT(monotonic_now() - begin, 10 * kSecond);
  EXPECT_EQ(list->elems[0].offset, 5);
  EXPECT_EQ(list->elems[1].offset, kNoEnd);
  EXPECT_EQ(list->elems[2].offset, 0);
  EXPECT_EQ(list->elems[3].offset, 2);
  rd_kafka_mock_broker_set_down(cluster.mock(), 1);
  EXPECT_FALSE(kafka_ends_where_led(client.get(), *list, 1000).ok());
  EXPECT_EQ(list->elems[0].offset, kNoEnd) << "nothing is known";
}

// Each answer stands behind a fetch, which the broker holds back.
TEST(KafkaWatermarks, OfManyQuietTopicsAreAskedForAtOnce) {
  constexpr int kTopics = 30;
  KafkaCluster cluster;
  auto conf = kafka_conf({{cluster.brokers()}, {}, ""}, {{"group.id", "watermarks"}, {"fetch.wait.max.ms", "1000"}});
  const KafkaHandle client = kafka_consumer(std::move(*conf), nullptr).value();
  const KafkaList list = new_kafka_list(), ends = new_kafka_list();
  for (int i = 0; i < kTopics; ++i) {
    const std::string topic = "t" + std::to_string(i);
    cluster.create(topic, 1);
    cluster.produce(topic, 0, 1);
    add_offset(*list, topic, 0, 0);
    add_offset(*ends, topic, 0, 77);
  }
  ASSERT_EQ(rd_kafka_assign(client.get(), list.get()), RD_KAFKA_RESP_ERR_NO_ERROR);
  const Deadline deadline = Deadline::after(30 * kSecond);
  for (int read = 0; read < kTopics && deadline.left() > 0;) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), 100);
    if (message == nullptr) continue;
    read += message->err == RD_KAFKA_RESP_ERR_NO_ERROR ? 1 : 0;
    rd_kafka_message_destroy(message);
  }
  const Status asked = kafka_ends_where_led(client.get(), *ends, 20000);
  ASSERT_TRUE(asked.ok()) << asked.error().message;
  for (int i = 0; i < kTopics; ++i) EXPECT_EQ(ends->elems[i].offset, 1) << i;
}

}  // namespace
}  // namespace driftd::ingest
