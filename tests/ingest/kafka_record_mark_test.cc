#include "ingest/kafka_record_mark.h"

#include "core/clock.h"
#include "tests/ingest/kafka_cluster.h"

namespace driftd::ingest {
namespace {

// Marks of what is in partition 0 of a topic.
std::vector<RecordMark> marks(const KafkaCluster& cluster, const char* topic, std::size_t n) {
  auto conf = kafka_conf({{cluster.brokers()}, {{"log_level", "0"}}, ""}, {{"group.id", "g"}});
  auto client = kafka_consumer(std::move(conf).value(), nullptr);
  const KafkaList list = new_kafka_list();
  rd_kafka_topic_partition_list_add(list.get(), topic, 0)->offset = 0;
  rd_kafka_assign(client->get(), list.get());
  std::vector<RecordMark> out;
  for (const Deadline deadline = Deadline::after(kMinute); out.size() < n && !deadline.passed();) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client->get(), 100);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) out.push_back(kafka_mark_of(*message));
    rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(client->get());
  return out;
}

TEST(KafkaRecordMark, IsFoundInItsOwnTopicOnly) {
  KafkaCluster cluster;
  for (const char* topic : {"a", "b", "empty"}) cluster.create(topic, 1);
  cluster.produce("a", 0, 3, "x");
  cluster.produce("b", 0, 3, "y");
  const auto read = marks(cluster, "a", 3);
  ASSERT_EQ(read.size(), 3U);
  const KafkaConnection connection{{cluster.brokers()}, {}, ""};
  for (const RecordMark& mark : read) EXPECT_TRUE(kafka_has_record(connection, "a", 0, mark).value());
  EXPECT_FALSE(kafka_has_record(connection, "b", 0, read[2]).value()) << "a record at the same offset, with the same time and key";
  EXPECT_FALSE(kafka_has_record(connection, "empty", 0, read[0]).value());
  RecordMark other = read[1];
  other.position = 2;
  EXPECT_FALSE(kafka_has_record(connection, "a", 0, other).value());
  other = read[1];
  other.arrival += 1;
  EXPECT_FALSE(kafka_has_record(connection, "a", 0, other).value());
  other = read[1];
  other.position = -1;  // before the oldest
  EXPECT_TRUE(kafka_has_record(connection, "a", 0, other).value()) << "retention took it";
}

TEST(KafkaRecordMark, NoAnswerIsNotAnAnswer) {
  const auto found = kafka_has_record({{"127.0.0.1:1"}, {}, ""}, "a", 0, {.position = 0});
  ASSERT_FALSE(found.ok());
  EXPECT_EQ(found.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace driftd::ingest
