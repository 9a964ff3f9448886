// KafkaEnds: where a consumer's partitions end, and of which of them all has been handed over.
//
// The statistics say it of what is fetched, and old things of what is not. To ask a broker may take a second: an answer comes behind that
// to the fetch before it, which the broker may hold back for fetch.wait.max.ms. Thread-safety: none; the polling thread's.
#pragma once

#include <cstdint>
#include <optional>
#include <set>

#include "core/time.h"
#include "ingest/kafka_client.h"
#include "ingest/kafka_partitions.h"

namespace driftd::ingest {

class KafkaEnds {
 public:
  // `partitions` outlives it.
  KafkaEnds(KafkaHandle client, KafkaPartitions& partitions);

  // As Source::at_end.
  std::optional<std::set<std::uint32_t>> at_end(const std::set<std::uint32_t>& partitions, const std::set<std::uint32_t>& before);
  // What the statistics say of a partition; `fetched`: it is, so that it is new.
  static void told(KafkaPartitions::Partition& partition, std::int64_t end, bool fetched);
  // Asks of those that are not fetched, once in a few seconds; `paused`: none is.
  void look(bool paused);

 private:
  KafkaHandle client_;
  KafkaPartitions& partitions_;
  int patience_millis_;
  Duration look_at_ = 0;  // monotonic: when next
};

}  // namespace driftd::ingest
