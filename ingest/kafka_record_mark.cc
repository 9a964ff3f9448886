#include "ingest/kafka_record_mark.h"

#include <librdkafka/rdkafka.h>

#include "ingest/kafka_record_lookup.h"

namespace driftd::ingest {
namespace {

constexpr int kPatienceMillis = 10000;

}  // namespace

RecordMark kafka_mark_of(const rd_kafka_message_t& message) {
  RawRecord record = raw_record(message);
  record.topic = rd_kafka_topic_name(message.rkt);
  return mark_of(record);
}

Result<bool> kafka_has_record(const KafkaConnection& connection, const std::string& topic, std::int32_t partition, const RecordMark& mark) {
  KafkaRecordLookup lookup(connection);
  const auto found = lookup.find({{topic, partition, mark}}, kPatienceMillis)[0];
  if (!found) {
    return Error{ErrorCode::kUnavailable,
                 "kafka: topic '" + topic + "' was not readable in time" + (lookup.why().empty() ? "" : ": " + lookup.why())};
  }
  // A topic that was just made has all of its offsets, so that one whose oldest ones are gone is no new one.
  return *found == RecordFound::kThere || *found == RecordFound::kRemoved;
}

}  // namespace driftd::ingest
