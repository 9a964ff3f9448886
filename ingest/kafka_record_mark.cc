#include "ingest/kafka_record_mark.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <map>
#include <utility>

#include "core/clock.h"
#include "ingest/kafka_fetch_queues.h"
#include "ingest/kafka_watermarks.h"

namespace driftd::ingest {
namespace {

constexpr int kPatienceMillis = 10000;
constexpr int kWaitMillis = 100;

using Found = std::vector<std::optional<RecordFound>>;

// What a message or an error says of the mark; nullopt: nothing.
std::optional<RecordFound> judge(const rd_kafka_message_t& message, const RecordMark& mark) {
  switch (message.err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
      if (message.offset > mark.position) return RecordFound::kSkipped;
      return kafka_mark_of(message) == mark ? RecordFound::kThere : RecordFound::kOther;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return RecordFound::kSkipped;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
      return RecordFound::kOther;
    default:
      return std::nullopt;
  }
}

// Reads those of which nothing is known yet.
void read(const KafkaHandle& client, const std::vector<MarkedRecord>& records, const Deadline& deadline, Found& found) {
  KafkaFetchQueues queues(client, rd_kafka_message_destroy);  // a topic may go while it is read
  std::map<std::pair<std::string, std::int32_t>, std::size_t> places;
  const KafkaList list = new_kafka_list();
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (found[i]) continue;
    places[{records[i].topic, records[i].partition}] = i;
    queues.keep(static_cast<std::uint32_t>(i), records[i].topic.c_str(), records[i].partition);
    add_offset(*list, records[i].topic, records[i].partition, records[i].mark.position);
  }
  rd_kafka_assign(client.get(), list.get());
  while (!places.empty() && !deadline.passed()) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), kWaitMillis);
    if (message == nullptr) continue;
    const auto place = message->rkt == nullptr ? places.end() : places.find({rd_kafka_topic_name(message->rkt), message->partition});
    if (place != places.end()) {
      found[place->second] = judge(*message, records[place->second].mark);
      if (found[place->second]) {
        const KafkaList done = new_kafka_list();
        rd_kafka_topic_partition_list_add(done.get(), place->first.first.c_str(), place->first.second);
        rd_kafka_pause_partitions(client.get(), done.get());
        places.erase(place);
      }
    }
    rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(client.get());
}

}  // namespace

RecordMark kafka_mark_of(const rd_kafka_message_t& message) {
  RawRecord record = raw_record(message);
  record.topic = rd_kafka_topic_name(message.rkt);
  return mark_of(record);
}

Found kafka_find_records(const KafkaConnection& connection, const std::vector<MarkedRecord>& records, int patience_millis) {
  const Deadline deadline = Deadline::after(patience_millis * kMillisecond);
  const auto left = [&] { return static_cast<int>(deadline.left() / kMillisecond) + 1; };
  Found found(records.size());
  auto conf = kafka_conf(connection, {{"group.id", "driftd-mark"},  // asked for, never joined
                                      {"enable.auto.commit", "false"},
                                      {"enable.auto.offset.store", "false"},
                                      {"enable.partition.eof", "true"},
                                      {"isolation.level", "read_committed"},
                                      {"auto.offset.reset", "error"}});
  auto client = conf ? kafka_consumer(std::move(conf).value(), nullptr) : conf.error();
  if (!client) return found;
  const KafkaList oldest = new_kafka_list(), ends = new_kafka_list();
  for (const MarkedRecord& r : records) {
    for (auto* list : {oldest.get(), ends.get()}) add_offset(*list, r.topic, r.partition, 0);
  }
  if (!kafka_oldest(client->get(), *oldest, left()) || !kafka_ends(client->get(), *ends, left())) return found;
  for (std::size_t i = 0; i < records.size(); ++i) {
    const std::int64_t position = records[i].mark.position;
    if (position < oldest->elems[i].offset) {
      found[i] = RecordFound::kRemoved;
    } else if (position >= ends->elems[i].offset) {
      found[i] = RecordFound::kOther;
    }
  }
  if (std::any_of(found.begin(), found.end(), [](const auto& one) { return !one; })) read(*client, records, deadline, found);
  return found;
}

Result<bool> kafka_has_record(const KafkaConnection& connection, const std::string& topic, std::int32_t partition, const RecordMark& mark) {
  const auto found = kafka_find_records(connection, {{topic, partition, mark}}, kPatienceMillis)[0];
  if (!found) return Error{ErrorCode::kUnavailable, "kafka: topic '" + topic + "' was not readable in time"};
  // A topic that was just made has all of its offsets, so that one whose oldest ones are gone is no new one.
  return *found == RecordFound::kThere || *found == RecordFound::kRemoved;
}

}  // namespace driftd::ingest
