// What tells a Kafka record from the one of another topic that has the same name and the same offset:
// to see whether a topic is the one that it was.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "ingest/kafka_client.h"

namespace driftd::ingest {

struct KafkaRecordMark {
  std::int64_t offset = 0;
  std::int64_t millis = 0;  // timestamp
  std::uint64_t hash = 0;   // of key and payload
};

KafkaRecordMark mark_of(const rd_kafka_message_s& message);

// Whether the partition has the marked record, or has had it: retention may have taken it. Connects anew and
// waits for some seconds at most. Error{kUnavailable}: no answer.
Result<bool> kafka_has_record(const KafkaConnection& connection, const std::string& topic, std::int32_t partition,
                              const KafkaRecordMark& mark);

}  // namespace driftd::ingest
