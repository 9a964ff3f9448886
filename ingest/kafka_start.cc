#include "ingest/kafka_start.h"

#include <librdkafka/rdkafka.h>

#include "ingest/group_metadata.h"
#include "ingest/kafka_client.h"

namespace driftd::ingest {

std::vector<std::optional<GroupPosition>> group_positions(rd_kafka_s* client, const std::vector<rd_kafka_topic_partition_s*>& entries,
                                                          int patience_millis) {
  const KafkaList list = new_kafka_list();
  for (const auto* e : entries) rd_kafka_topic_partition_list_add(list.get(), e->topic, e->partition);
  const auto error = rd_kafka_committed(client, list.get(), patience_millis);
  std::vector<std::optional<GroupPosition>> out(entries.size());
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) return out;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const rd_kafka_topic_partition_t& told = list->elems[i];
    if (told.err != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
    out[i] = {told.offset, GroupMetadata::read({static_cast<const char*>(told.metadata), told.metadata_size}).by};
  }
  return out;
}

std::optional<KafkaStart> kafka_start(const GroupPosition& group, bool from_latest, bool known_topic, std::optional<std::int64_t> end) {
  if (group.offset > 0) return KafkaStart{group.offset, group.offset, true};
  if (!from_latest || known_topic) return KafkaStart{RD_KAFKA_OFFSET_BEGINNING, std::nullopt, false};
  // A number and not "the end", so that a restart before the first record starts there too.
  return end ? std::optional(KafkaStart{*end, *end, false}) : std::nullopt;
}

}  // namespace driftd::ingest
