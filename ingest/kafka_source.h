// The Kafka source behind ingest/sources/kafka.cc: a member of a consumer group whose positions are
// driftd's own.
//
// On assignment each partition starts where the handler says (docs/ARCHITECTURE.md: the group's
// committed offsets only show progress). Rebalances are answered after the batch call that
// announced them, so that no message of that call can belong to a newer assignment than the one it
// is judged by. Transactions leave gaps in the offsets; a position is the offset behind the last
// record.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingest/kafka_client.h"
#include "ingest/source.h"

namespace driftd::ingest {

struct KafkaSettings {
  KafkaConnection connection;
  std::vector<std::string> topics;  // names; a topic's place here is part of its partitions' numbers
  std::string group;
  std::string instance_id;   // empty: no static membership
  bool from_latest = false;  // where partitions without a position begin
};

std::unique_ptr<Source> make_kafka_source(KafkaSettings settings, const SourceContext& context);

}  // namespace driftd::ingest
