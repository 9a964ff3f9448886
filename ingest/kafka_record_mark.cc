#include "ingest/kafka_record_mark.h"

#include <librdkafka/rdkafka.h>

#include <optional>

#include "core/clock.h"
#include "ingest/kafka_fetch_queues.h"
#include "ingest/kafka_watermarks.h"

namespace driftd::ingest {
namespace {

constexpr int kPatienceMillis = 5000;
constexpr int kWaitMillis = 100;

// What a message or an error says of the mark; nullopt: nothing.
std::optional<bool> judge(const rd_kafka_message_t& message, const RecordMark& mark) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      return kafka_mark_of(message) == mark;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return false;
    default:
      return std::nullopt;
  }
}

}  // namespace

RecordMark kafka_mark_of(const rd_kafka_message_t& message) {
  RawRecord record = raw_record(message);
  record.topic = rd_kafka_topic_name(message.rkt);
  return mark_of(record);
}

Result<bool> kafka_has_record(const KafkaConnection& connection, const std::string& topic, std::int32_t partition, const RecordMark& mark) {
  auto conf = kafka_conf(connection, {{"group.id", "driftd-mark"},  // asked for, never joined
                                      {"enable.auto.commit", "false"},
                                      {"enable.auto.offset.store", "false"},
                                      {"enable.partition.eof", "true"},
                                      {"isolation.level", "read_committed"},
                                      {"auto.offset.reset", "error"}});
  if (!conf) return conf.error();
  auto client = kafka_consumer(std::move(conf).value(), nullptr);
  if (!client) return client.error();
  const auto marks = kafka_watermarks(client->get(), topic, partition, kPatienceMillis);
  if (!marks) return marks.error();
  if (mark.position < marks->low) return true;  // a topic that was just made has all of its offsets
  if (mark.position >= marks->end) return false;
  std::optional<bool> verdict;
  {
    KafkaFetchQueues queues(*client, rd_kafka_message_destroy);  // the topic may go while it is read
    queues.keep(0, topic.c_str(), partition);
    const KafkaList list = new_kafka_list();
    rd_kafka_topic_partition_list_add(list.get(), topic.c_str(), partition)->offset = mark.position;
    rd_kafka_assign(client->get(), list.get());
    for (const Deadline deadline = Deadline::after(kPatienceMillis * kMillisecond); !verdict && !deadline.passed();) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(client->get(), kWaitMillis);
      if (message == nullptr) continue;
      verdict = judge(*message, mark);
      rd_kafka_message_destroy(message);
    }
    rd_kafka_consumer_close(client->get());
  }
  if (!verdict) return Error{ErrorCode::kUnavailable, "kafka: topic '" + topic + "' was not readable in time"};
  return *verdict;
}

}  // namespace driftd::ingest
