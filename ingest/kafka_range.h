// Reading a stretch of a Kafka topic once, without a group: for `replay --kafka` and
// `reference build --kafka`.
#pragma once

#include <functional>
#include <string>

#include "core/raw_batch.h"
#include "core/result.h"
#include "core/time.h"
#include "ingest/kafka_client.h"

namespace driftd::ingest {

struct KafkaRange {
  KafkaConnection connection;
  std::string topic;
  Time from = kNoTime;               // Kafka timestamps, half-open; kNoTime: from the oldest record
  Time to = kNoTime;                 // kNoTime: to the newest record when reading starts
  Duration patience = 30 * kSecond;  // without any record, before giving up
};

// Hands every record between the first one with a timestamp of at least `from` and the first one of
// at least `to` to `sink`, partition by partition in their order; RawBatch::partition is the
// topic's partition number. Where a partition's timestamps do not grow, that is by offset between
// those two. Stops at the sink's first error and returns it. Error{kUnavailable}: no broker, no
// such topic.
Status read_kafka_range(const KafkaRange& range, const std::function<Status(RawBatch&)>& sink);

}  // namespace driftd::ingest
