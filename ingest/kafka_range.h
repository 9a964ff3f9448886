// Reading a stretch of a Kafka topic once, without a group: for `replay --kafka` and
// `reference build --kafka`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/raw_batch.h"
#include "core/result.h"
#include "core/time.h"
#include "ingest/kafka_client.h"

namespace driftd::ingest {

// Offsets of one partition, half-open.
struct KafkaSpan {
  std::uint32_t partition;
  std::int64_t begin, end;
};

struct KafkaRange {
  KafkaConnection connection;
  std::string topic;
  Time from = kNoTime;               // Kafka timestamps, half-open; kNoTime: from the oldest record
  Time to = kNoTime;                 // kNoTime: to the newest record when reading starts
  std::vector<KafkaSpan> spans;      // not empty: exactly these, whatever from and to say
  Duration patience = 30 * kSecond;  // without any record, before giving up
};

// Hands every record between the first one with a timestamp of at least `from` and the first one of
// at least `to` to `sink`, partition by partition in their order; RawBatch::partition is the
// topic's partition number. Where a partition's timestamps do not grow, that is by offset between
// those two. Returns the offsets read, without partitions that had none; read again by them, the
// records are the same. Stops at the sink's first error and returns it. Error{kUnavailable}: no
// broker, no such topic, offsets that are gone.
Result<std::vector<KafkaSpan>> read_kafka_range(const KafkaRange& range, const std::function<Status(RawBatch&)>& sink);

}  // namespace driftd::ingest
