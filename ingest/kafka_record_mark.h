// Whether a topic is the one that it was: by the mark of a record that was read from it.
#pragma once

#include <cstdint>
#include <string>

#include "core/record_mark.h"
#include "core/result.h"
#include "ingest/kafka_client.h"

struct rd_kafka_message_s;

namespace driftd::ingest {

RecordMark kafka_mark_of(const rd_kafka_message_s& message);

// Whether the partition has the marked record, or has had it: retention may have taken it. Connects anew and
// waits for some seconds at most. Error{kUnavailable}: no answer.
Result<bool> kafka_has_record(const KafkaConnection& connection, const std::string& topic, std::int32_t partition, const RecordMark& mark);

}  // namespace driftd::ingest
