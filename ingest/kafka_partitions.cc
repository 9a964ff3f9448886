#include "ingest/kafka_partitions.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>

#include "ingest/kafka_watermarks.h"

namespace driftd::ingest {

std::optional<std::uint32_t> KafkaPartitions::number_of(std::string_view topic, std::int32_t partition) const {
  if (partition < 0 || static_cast<std::uint32_t>(partition) >= kPartitionsPerTopic) return std::nullopt;
  for (std::uint32_t t = 0; t < topics_.size(); ++t) {
    if (topics_[t] == topic) return t * kPartitionsPerTopic + static_cast<std::uint32_t>(partition);
  }
  return std::nullopt;
}

void KafkaPartitions::add_to(rd_kafka_topic_partition_list_s& list, std::uint32_t number, std::int64_t offset,
                             const std::string& by) const {
  static_assert(kNoOffset == RD_KAFKA_OFFSET_INVALID);
  add_offset(list, topic_of(number), id_of(number), offset, by);
}

void KafkaPartitions::assign(std::uint32_t number, std::optional<std::int64_t> position) {
  const Partition* before = find(number);
  Partition partition;
  partition.number = number;
  partition.held_back = before != nullptr && before->held_back;  // the client keeps that it is paused
  unassign(number);
  partition.taken = partition.position = position.value_or(-1);
  partition.waiting = std::make_shared<KafkaMessages>(handle_);
  partitions_.push_back(std::move(partition));
}

void KafkaPartitions::expect(std::uint32_t number, const RecordMark& mark) {
  Partition* partition = find(number);
  if (partition == nullptr || mark.position < 0 || mark.position >= partition->taken) return;
  partition->mark = mark;
  newest_[number] = mark;
}

// Without a record at that offset (compaction took it) nothing can be said.
void KafkaPartitions::look_at_mark(Partition& partition, const rd_kafka_message_s& message) {
  if (message.offset < partition.mark->position) return;
  if (message.offset == partition.mark->position) partition.anew = partition.held = kafka_mark_of(message) != *partition.mark;
  partition.mark.reset();
}

void KafkaPartitions::unassign(std::uint32_t number) {
  std::erase_if(partitions_, [&](const Partition& p) { return p.number == number; });
  recent_ = 0;
}

std::optional<std::pair<std::int32_t, RecordMark>> KafkaPartitions::newest_of(std::uint32_t topic) const {
  const auto it = newest_.lower_bound(topic * kPartitionsPerTopic);
  if (it == newest_.end() || it->first / kPartitionsPerTopic != topic) return std::nullopt;
  return std::pair(id_of(it->first), it->second);
}

KafkaPartitions::Partition* KafkaPartitions::find(std::uint32_t number) {
  for (Partition& partition : partitions_) {
    if (partition.number == number) return &partition;
  }
  return nullptr;
}

void KafkaPartitions::take(rd_kafka_message_s* message) {
  const auto id = static_cast<std::uint32_t>(message->partition);
  const char* topic = rd_kafka_topic_name(message->rkt);
  const auto is = [&](const Partition& p) { return p.number % kPartitionsPerTopic == id && topic_of(p.number) == topic; };
  if (recent_ >= partitions_.size() || !is(partitions_[recent_])) {
    const auto it = std::find_if(partitions_.begin(), partitions_.end(), is);
    if (it == partitions_.end()) return rd_kafka_message_destroy(message);
    recent_ = static_cast<std::size_t>(it - partitions_.begin());
  }
  Partition& partition = partitions_[recent_];
  if (partition.mark && !partition.held) look_at_mark(partition, *message);
  if (partition.held || message->offset < partition.taken) return rd_kafka_message_destroy(message);
  partition.taken = message->offset + 1;
  partition.waiting->add(message);
}

std::optional<bool> KafkaPartitions::wake_fetching(std::size_t least) const {
  constexpr int kPatienceMillis = 1000;
  for (const Partition& p : partitions_) {
    const char* topic = topic_of(p.number).c_str();
    std::int64_t low = 0, end = 0;
    if (rd_kafka_get_watermark_offsets(handle_.get(), topic, id_of(p.number), &low, &end) != 0 || p.held_back ||
        end - p.taken < static_cast<std::int64_t>(least)) {
      continue;
    }
    if (!kafka_end(handle_.get(), topic, id_of(p.number), kPatienceMillis)) return std::nullopt;
    return true;  // whatever it says
  }
  return false;
}

bool KafkaPartitions::hand_over(RawBatch& out) {
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    turn_ = (turn_ + 1) % partitions_.size();
    Partition& partition = partitions_[turn_];
    if (partition.held_back || partition.waiting->empty()) continue;
    newest_[partition.number] = kafka_mark_of((*partition.waiting)[partition.waiting->size() - 1]);
    auto messages = std::exchange(partition.waiting, std::make_shared<KafkaMessages>(handle_));
    KafkaMessages::hand_over(std::move(messages), partition.number, out);
    partition.position = out.next_position;
    return true;
  }
  return false;
}

}  // namespace driftd::ingest
