#include "ingest/kafka_watermarks.h"

#include <librdkafka/rdkafka.h>

#include "core/clock.h"
#include "core/text.h"
#include "ingest/kafka_client.h"

namespace driftd::ingest {
namespace {

// The times that stand for the ends of a partition (Kafka protocol, ListOffsets).
constexpr std::int64_t kOldest = -2, kNewest = -1;

Result<std::int64_t> offset_at(rd_kafka_t* client, const std::string& topic, std::int32_t partition, std::int64_t time,
                               int patience_millis) {
  const KafkaList list = new_kafka_list();
  add_offset(*list, topic, partition, time);
  auto error = rd_kafka_offsets_for_times(client, list.get(), patience_millis);
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) error = list->elems[0].err;
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[0].offset >= 0) return list->elems[0].offset;
  const std::string why = error == RD_KAFKA_RESP_ERR_NO_ERROR ? "no offset was told" : rd_kafka_err2str(error);
  return Error{ErrorCode::kUnavailable,
               "kafka topic '" + excerpt(topic) + "': asking where partition " + std::to_string(partition) + " begins and ends: " + why};
}

}  // namespace

Result<KafkaWatermarks> kafka_watermarks(rd_kafka_s* client, const std::string& topic, std::int32_t partition, int patience_millis) {
  const Deadline deadline = Deadline::after(patience_millis * kMillisecond);
  const auto low = offset_at(client, topic, partition, kOldest, patience_millis);
  if (!low) return low.error();
  const auto end = offset_at(client, topic, partition, kNewest, static_cast<int>(deadline.left() / kMillisecond) + 1);
  if (!end) return end.error();
  return KafkaWatermarks{*low, *end};
}

Status kafka_ends(rd_kafka_s* client, rd_kafka_topic_partition_list_s& list, int patience_millis) {
  if (list.cnt == 0) return {};
  for (int i = 0; i < list.cnt; ++i) list.elems[i].offset = kNewest;
  auto error = rd_kafka_offsets_for_times(client, &list, patience_millis);
  for (int i = 0; i < list.cnt && error == RD_KAFKA_RESP_ERR_NO_ERROR; ++i) error = list.elems[i].err;
  if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return Error{ErrorCode::kUnavailable, std::string("kafka: asking where partitions end: ") + rd_kafka_err2str(error)};
}

Result<std::int64_t> kafka_end(rd_kafka_s* client, const std::string& topic, std::int32_t partition, int patience_millis) {
  return offset_at(client, topic, partition, kNewest, patience_millis);
}

}  // namespace driftd::ingest
