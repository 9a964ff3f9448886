// KafkaFetchQueues: the queues into which librdkafka fetches, one a partition that was ever assigned,
// kept so that they can be emptied when the consumer is closed.
//
// Why: a partition that is taken away leaves marks in its queue that hold on to the partition itself.
// rd_kafka_destroy() (2.0) empties the queues of the partitions that the cluster has, but those of a
// deleted topic are on no list any more: the partition, and with it its broker's thread, is never let
// go, and the call never returns. Thread-safety: none.
#pragma once

#include <cstdint>
#include <functional>
#include <map>

#include "ingest/kafka_client.h"

struct rd_kafka_queue_s;

namespace driftd::ingest {

class KafkaFetchQueues {
 public:
  // Gets what still was in a queue, and owns it.
  using Take = std::function<void(rd_kafka_message_s*)>;

  KafkaFetchQueues(KafkaHandle client, Take take) : client_(std::move(client)), take_(std::move(take)) {}
  KafkaFetchQueues(const KafkaFetchQueues&) = delete;
  KafkaFetchQueues& operator=(const KafkaFetchQueues&) = delete;
  // Empties all. Precondition: the consumer is closed, the client still there.
  ~KafkaFetchQueues();

  // The partition is about to be assigned. One of a topic that was made anew has another queue than before.
  void keep(std::uint32_t number, const char* topic, std::int32_t partition);

 private:
  // The one before is kept for one more turn: marks may still be on their way into it.
  struct Queues {
    rd_kafka_queue_s* now = nullptr;
    rd_kafka_queue_s* before = nullptr;
  };
  void let_go(rd_kafka_queue_s* queue);

  KafkaHandle client_;
  Take take_;
  std::map<std::uint32_t, Queues> queues_;  // by KafkaPartitions' number
};

}  // namespace driftd::ingest
