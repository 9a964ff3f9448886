// What driftd needs of librdkafka's statistics (its STATISTICS.md), which come as JSON.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace driftd::ingest {

struct KafkaStatistics {
  struct Partition {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t end = 0;  // offset behind the last record that can be read
  };
  bool broker_up = false;             // at least one broker is connected
  bool group_ready = false;           // the group has given us our partitions, if any
  std::vector<Partition> partitions;  // those whose end is known
};

// nullopt when it is not the JSON it should be. Cost: a parse of the text, some 10 us a partition.
std::optional<KafkaStatistics> read_kafka_statistics(std::string_view json);

}  // namespace driftd::ingest
