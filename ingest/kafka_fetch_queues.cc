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
  for (const auto& [number, queue] : queues_) let_go(queue);
}

void KafkaFetchQueues::keep(std::uint32_t number, const char* topic, std::int32_t partition) {
  rd_kafka_queue_t* before = std::exchange(queues_[number], rd_kafka_queue_get_partition(client_.get(), topic, partition));
  if (before != nullptr) let_go(before);
}

void KafkaFetchQueues::let_go(rd_kafka_queue_s* queue) {
  for (int i = 0; i < kLeft; ++i) {
    rd_kafka_message_t* message = rd_kafka_consume_queue(queue, 0);
    if (message == nullptr) break;
    take_(message);
  }
  rd_kafka_queue_destroy(queue);
}

}  // namespace driftd::ingest
