// Telling librdkafka which partitions of the group's are read, and from where, in both rebalance
// protocols. What it refuses is logged; nobody could do more about it. Polling thread only.
#pragma once

#include <string>

struct rd_kafka_s;
struct rd_kafka_error_s;
struct rd_kafka_topic_partition_list_s;

namespace driftd::ingest {

class KafkaAssignment {
 public:
  // `client` is a consumer in a group and outlives this; `stream` is for the log.
  KafkaAssignment(rd_kafka_s* client, std::string stream) : client_(client), stream_(std::move(stream)) {}

  // Whether partitions are given and taken one by one; else all of them at once.
  bool cooperative() const;
  // Partitions of an answered rebalance, each read from its offset.
  void add(const rd_kafka_topic_partition_list_s& list);
  void remove(const rd_kafka_topic_partition_list_s& list);
  // These partitions go on at other offsets. `all`: these and every other one that is ours, where the protocol
  // knows only all at once. A partition whose fetching ended in an error cannot be sought in, only assigned again.
  void restart(const rd_kafka_topic_partition_list_s& list, const rd_kafka_topic_partition_list_s& all);

 private:
  void checked(const char* what, rd_kafka_error_s* error);

  rd_kafka_s* client_;
  std::string stream_;
};

}  // namespace driftd::ingest
