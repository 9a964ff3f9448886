// Where a partition of a topic begins and ends, asked of its leader. Blocks for about `patience_millis` at most, then and on any other
// trouble the Error is kUnavailable. What is read with read_committed ends before the oldest open transaction.
//
// rd_kafka_query_watermark_offsets must not be used for it: librdkafka (2.0) waits for its answer without end while the leader is down.
// Thread-safe.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

struct rd_kafka_s;
struct rd_kafka_topic_partition_list_s;

namespace driftd::ingest {

struct KafkaWatermarks {
  std::int64_t low = 0;  // offset of the oldest record
  std::int64_t end = 0;  // offset behind the newest one
};

Result<KafkaWatermarks> kafka_watermarks(rd_kafka_s* client, const std::string& topic, std::int32_t partition, int patience_millis);
// Sets the offsets of the list to the ends of its partitions, asking all leaders at once; after an Error they say nothing. An answer
// may wait behind one that the broker holds back for new records (fetch.wait.max.ms), so many are not to be asked one by one.
Status kafka_ends(rd_kafka_s* client, rd_kafka_topic_partition_list_s& list, int patience_millis);
// As above, but a partition that has no leader now gets kNoEnd, and the others need not wait for it. While there is one, the topics
// are asked about their leaders one by one.
inline constexpr std::int64_t kNoEnd = -1;
Status kafka_ends_where_led(rd_kafka_s* client, rd_kafka_topic_partition_list_s& list, int patience_millis);
Result<std::int64_t> kafka_end(rd_kafka_s* client, const std::string& topic, std::int32_t partition, int patience_millis);

}  // namespace driftd::ingest
