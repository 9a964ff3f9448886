// Where a Kafka partition starts of which driftd has no position of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

struct rd_kafka_s;
struct rd_kafka_topic_partition_s;

namespace driftd::ingest {

struct KafkaStart {
  std::int64_t offset = 0;               // for the assignment; may be a logical one
  std::optional<std::int64_t> position;  // the same as a number, where it is known
  bool amid = false;                     // somebody of the group has read what is before it
};

// One an entry, in their order. On from where the group stands, if it does; else from the beginning or,
// with `from_latest`, from the newest record; but a partition that was added to a topic of `known_topics`
// (driftd or its group has a position in it) starts at its beginning, or what came before it was assigned
// would be lost. The entries' topics are added. Asks the broker; waits for some seconds at
// most, and says in the log what it could not learn. Polling thread.
std::vector<KafkaStart> kafka_starts(rd_kafka_s* client, const std::vector<rd_kafka_topic_partition_s*>& entries, bool from_latest,
                                     std::set<std::string>& known_topics, const std::string& stream);

}  // namespace driftd::ingest
