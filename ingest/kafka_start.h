// Where a Kafka group stands in partitions, and where one starts of which driftd has no position of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_topic_partition_s;

namespace driftd::ingest {

struct GroupPosition {
  std::int64_t offset = -1;  // that the group has committed; below 0: none
  std::string by;            // whose it is, as its metadata says (folder_id)
};

// One an entry, in their order; nullopt: it could not be learnt now. Asks the broker, and waits for `patience_millis` at most.
// Polling thread.
std::vector<std::optional<GroupPosition>> group_positions(rd_kafka_s* client, const std::vector<rd_kafka_topic_partition_s*>& entries,
                                                          int patience_millis);

struct KafkaStart {
  std::int64_t offset = 0;               // for the assignment; may be a logical one
  std::optional<std::int64_t> position;  // the same as a number, where it is known
  bool amid = false;                     // somebody of the group has read what is before it
};

// On from where the group stands, if it does; else from the beginning or, with `from_latest`, from the newest record (`end`; nullopt:
// not known now); but a partition that was added to a topic that is known (`known_topic`: driftd or its group has a position in it)
// starts at its beginning, or what came before it was assigned would be lost. nullopt: cannot be said without the end.
std::optional<KafkaStart> kafka_start(const GroupPosition& group, bool from_latest, bool known_topic, std::optional<std::int64_t> end);

}  // namespace driftd::ingest
