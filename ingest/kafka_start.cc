#include "ingest/kafka_start.h"

#include <librdkafka/rdkafka.h>

#include "core/log.h"
#include "ingest/kafka_client.h"

namespace driftd::ingest {
namespace {

constexpr int kPatienceMillis = 5000;

}  // namespace

std::vector<KafkaStart> kafka_starts(rd_kafka_s* client, const std::vector<rd_kafka_topic_partition_s*>& entries, bool from_latest,
                                     std::set<std::string>& known_topics, const std::string& stream) {
  const KafkaList list = new_kafka_list();
  for (const auto* e : entries) rd_kafka_topic_partition_list_add(list.get(), e->topic, e->partition);
  if (const auto error = rd_kafka_committed(client, list.get(), kPatienceMillis)) {
    log::warning("kafka: where the group stands is not known; starting where `start` says",
                 {{"stream", stream}, {"why", rd_kafka_err2str(error)}});
  }
  const auto stands_at = [&](int i) { return list->elems[i].err == 0 ? list->elems[i].offset : RD_KAFKA_OFFSET_INVALID; };
  for (int i = 0; i < list->cnt; ++i) {
    if (stands_at(i) >= 0) known_topics.insert(list->elems[i].topic);
  }
  std::vector<KafkaStart> starts;
  for (int i = 0; i < list->cnt; ++i) {
    const rd_kafka_topic_partition_t& entry = list->elems[i];
    KafkaStart& start = starts.emplace_back();
    start.offset = RD_KAFKA_OFFSET_BEGINNING;
    if (stands_at(i) > 0) {
      start = {stands_at(i), stands_at(i), true};
    } else if (from_latest && known_topics.count(entry.topic) == 0) {
      // A number and not "the end", so that a restart before the first record starts there too.
      std::int64_t low = 0, end = 0;
      start.offset = RD_KAFKA_OFFSET_END;
      if (rd_kafka_query_watermark_offsets(client, entry.topic, entry.partition, &low, &end, kPatienceMillis) == 0) {
        start = {end, end, false};
      }
    }
  }
  for (const auto* e : entries) known_topics.insert(e->topic);
  return starts;
}

}  // namespace driftd::ingest
