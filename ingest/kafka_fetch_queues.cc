#include "ingest/kafka_fetch_queues.h"

#include <librdkafka/rdkafka.h>

#include <utility>

namespace driftd::ingest {
namespace {

// What is left of a partition that was taken away is a handful. Mostly the queue is the same as before, and what
// is fetched anew need not be taken out of it here.
constexpr int kLeft = 1000;

}  // namespace

KafkaFetchQueues::~KafkaFetchQueues() {
  for (const auto& [number, queues] : queues_) {
    let_go(queues.before);
    let_go(queues.now);
  }
}

void KafkaFetchQueues::keep(std::uint32_t number, const char* topic, std::int32_t partition) {
  Queues& queues = queues_[number];
  let_go(std::exchange(queues.before, queues.now));
  queues.now = rd_kafka_queue_get_partition(client_.get(), topic, partition);
}

void KafkaFetchQueues::let_go(rd_kafka_queue_s* queue) {
  if (queue == nullptr) return;
  for (int i = 0; i < kLeft; ++i) {
    rd_kafka_message_t* message = rd_kafka_consume_queue(queue, 0);
    if (message == nullptr) break;
    take_(message);
  }
  rd_kafka_queue_destroy(queue);
}

}  // namespace driftd::ingest
