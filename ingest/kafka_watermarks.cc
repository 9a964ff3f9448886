#include "ingest/kafka_watermarks.h"

#include <librdkafka/rdkafka.h>

#include <map>
#include <memory>
#include <set>

#include "core/clock.h"
#include "core/text.h"
#include "ingest/kafka_client.h"

namespace driftd::ingest {
namespace {

// The times that stand for the ends of a partition (Kafka protocol, ListOffsets).
constexpr std::int64_t kOldest = -2, kNewest = -1;

Status offsets_at(rd_kafka_t* client, rd_kafka_topic_partition_list_t& list, std::int64_t time, int patience_millis) {
  for (int i = 0; i < list.cnt; ++i) list.elems[i].offset = time;
  const auto error = rd_kafka_offsets_for_times(client, &list, patience_millis);
  for (int i = 0; i < list.cnt; ++i) {
    const rd_kafka_topic_partition_t& told = list.elems[i];
    const auto why = error != RD_KAFKA_RESP_ERR_NO_ERROR ? error : told.err;
    if (why == RD_KAFKA_RESP_ERR_NO_ERROR && told.offset >= 0) continue;
    return Error{ErrorCode::kUnavailable,
                 "kafka topic '" + excerpt(told.topic) + "': asking where partition " + std::to_string(told.partition) +
                     " begins and ends: " + (why == RD_KAFKA_RESP_ERR_NO_ERROR ? "no offset was told" : rd_kafka_err2str(why))};
  }
  return {};
}

Result<std::int64_t> offset_at(rd_kafka_t* client, const std::string& topic, std::int32_t partition, std::int64_t time,
                               int patience_millis) {
  const KafkaList list = new_kafka_list();
  add_offset(*list, topic, partition, time);
  if (const Status s = offsets_at(client, *list, time, patience_millis); !s) return s.error();
  return list->elems[0].offset;
}

Result<std::set<std::int32_t>> led_partitions(rd_kafka_t* client, const std::string& name, int patience_millis) {
  const std::unique_ptr<rd_kafka_topic_t, void (*)(rd_kafka_topic_t*)> topic(rd_kafka_topic_new(client, name.c_str(), nullptr),
                                                                             rd_kafka_topic_destroy);
  const rd_kafka_metadata_t* metadata = nullptr;
  const auto error = topic == nullptr ? rd_kafka_last_error() : rd_kafka_metadata(client, 0, topic.get(), &metadata, patience_millis);
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return Error{ErrorCode::kUnavailable,
                 "kafka topic '" + excerpt(name) + "': asking which partitions have a leader: " + rd_kafka_err2str(error)};
  }
  std::set<std::int32_t> out;
  for (int t = 0; t < metadata->topic_cnt; ++t) {
    for (int i = 0; i < metadata->topics[t].partition_cnt; ++i) {
      if (metadata->topics[t].partitions[i].leader >= 0) out.insert(metadata->topics[t].partitions[i].id);
    }
  }
  rd_kafka_metadata_destroy(metadata);
  return out;
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
  return list.cnt == 0 ? Status() : offsets_at(client, list, kNewest, patience_millis);
}

Status kafka_ends_where_led(rd_kafka_s* client, rd_kafka_topic_partition_list_s& list, int patience_millis) {
  const Deadline deadline = Deadline::after(patience_millis * kMillisecond);
  const auto left = [&] { return static_cast<int>(deadline.left() / kMillisecond) + 1; };
  std::map<std::string, std::set<std::int32_t>> led;
  const KafkaList asked = new_kafka_list();
  std::set<std::string> topics;
  for (int i = 0; i < list.cnt; ++i) topics.insert(list.elems[i].topic);
  // Each topic's answer may stand behind a fetch; mostly all have leaders, and one question will do.
  if (topics.size() > 1 && kafka_ends(client, list, patience_millis / 3)) return {};
  for (int i = 0; i < list.cnt; ++i) {
    rd_kafka_topic_partition_t& entry = list.elems[i];
    entry.offset = kNoEnd;
    auto known = led.find(entry.topic);
    if (known == led.end()) {
      auto told = led_partitions(client, entry.topic, left());
      if (!told) return told.error();
      known = led.emplace(entry.topic, std::move(*told)).first;
    }
    if (known->second.count(entry.partition) != 0) add_offset(*asked, entry.topic, entry.partition, kNoEnd);
  }
  if (const Status s = kafka_ends(client, *asked, left()); !s) return s;
  for (int i = 0; i < asked->cnt; ++i) {
    const rd_kafka_topic_partition_t& told = asked->elems[i];
    rd_kafka_topic_partition_list_find(&list, told.topic, told.partition)->offset = told.offset;
  }
  return {};
}

Result<std::int64_t> kafka_end(rd_kafka_s* client, const std::string& topic, std::int32_t partition, int patience_millis) {
  return offset_at(client, topic, partition, kNewest, patience_millis);
}

}  // namespace driftd::ingest
