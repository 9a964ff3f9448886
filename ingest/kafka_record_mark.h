// Whether a topic is the one that it was: by the mark of a record that was read from it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/record_mark.h"
#include "core/result.h"
#include "ingest/kafka_client.h"

struct rd_kafka_message_s;

namespace driftd::ingest {

RecordMark kafka_mark_of(const rd_kafka_message_s& message);

struct MarkedRecord {
  std::string topic;
  std::int32_t partition = 0;
  RecordMark mark;
};
enum class RecordFound : std::uint8_t {
  kThere,
  kOther,    // another record is in its place, or the partition ends before it
  kRemoved,  // the partition begins behind it: retention
  kSkipped,  // there is none in its place, but there are newer ones: compaction, or a mark of a transaction
};
// Looks for all of them at once; one an entry, in their order; nullopt: it could not be learnt in time. Connects anew, and waits for
// `patience_millis` at most.
std::vector<std::optional<RecordFound>> kafka_find_records(const KafkaConnection& connection, const std::vector<MarkedRecord>& records,
                                                           int patience_millis);

// Whether the partition has the marked record, or has had it: retention may have taken it. Connects anew and
// waits for some seconds at most. Error{kUnavailable}: no answer.
Result<bool> kafka_has_record(const KafkaConnection& connection, const std::string& topic, std::int32_t partition, const RecordMark& mark);

}  // namespace driftd::ingest
