// The gate of a Kafka stream: records go to the output topics and positions to the consumer group
// in one transaction.
//
// The group's committed offset says up to where records were forwarded. It may be ahead of driftd's
// own checkpoint, never behind it (app/run/StreamRuntime sees to that); what lies between is judged
// again after a crash and passed over here. The transaction carries the group's generation, so that
// a member that lost a partition cannot commit for it any more; and where to go on is asked with
// "stable" offsets, so that what a dead member left open is decided first.
//
// A record goes to the partition of its own number, modulo the partitions of the output topic: with
// as many partitions there the numbers are the same, and in any case the order of a partition (and
// so of a key) is kept.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "ingest/gate.h"
#include "ingest/kafka_client.h"
#include "ingest/source.h"

namespace driftd::ingest {

struct KafkaGateSettings {
  GateSettings gate;  // with a transactional_id
  KafkaConnection connection;
  std::vector<std::string> topics;  // of the source, as it numbers them
  KafkaHandle consumer;
  std::string folder_id;  // of the stream; goes with the positions
};

std::unique_ptr<Gate> make_kafka_gate(KafkaGateSettings settings, const SourceContext& context);

}  // namespace driftd::ingest
