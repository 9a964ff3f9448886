#include "ingest/kafka_begin.h"

#include <librdkafka/rdkafka.h>

#include "core/clock.h"
#include "core/log.h"

namespace driftd::ingest {
namespace {

constexpr Duration kAskEvery = 2 * kSecond;

}  // namespace

void KafkaBegin::QueueDeleter::operator()(rd_kafka_queue_s* queue) const { rd_kafka_queue_destroy(queue); }

KafkaBegin::KafkaBegin(KafkaHandle client, std::string stream, std::string folder_id)
    : client_(std::move(client)),
      stream_(std::move(stream)),
      folder_id_(std::move(folder_id)),
      answers_(rd_kafka_queue_new(client_.get())) {}

void KafkaBegin::begin(std::uint32_t number, const std::string& topic, std::int32_t partition, std::int64_t offset) {
  waiting_[number] = {topic, partition, offset, 0};
}

std::string KafkaBegin::trouble() const {
  if (waiting_.empty()) return {};
  return "the group does not have yet where " + std::to_string(waiting_.size()) + " partition(s) begin" + (why_.empty() ? "" : ": " + why_);
}

void KafkaBegin::ask() {
  const Duration now = monotonic_now();
  for (auto& [number, w] : waiting_) {
    if (now < w.ask_at || asked_.count({w.topic, w.partition}) != 0) continue;
    w.ask_at = now + kAskEvery;
    const KafkaList list = new_kafka_list();
    add_offset(*list, w.topic, w.partition, w.offset, folder_id_);
    const auto error = rd_kafka_commit_queue(client_.get(), list.get(), answers_.get(), nullptr, nullptr);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) {
      asked_[{w.topic, w.partition}] = number;
    } else {
      why_ = rd_kafka_err2str(error);
    }
  }
}

std::optional<KafkaBegin::Begun> KafkaBegin::next() {
  if (waiting_.empty() && asked_.empty()) return std::nullopt;
  ask();
  const std::unique_ptr<rd_kafka_event_t, decltype(&rd_kafka_event_destroy)> answer(rd_kafka_queue_poll(answers_.get(), 0),
                                                                                    &rd_kafka_event_destroy);
  const auto* list = answer == nullptr ? nullptr : rd_kafka_event_topic_partition_list(answer.get());
  if (list == nullptr || list->cnt != 1) return std::nullopt;
  const rd_kafka_topic_partition_t& entry = list->elems[0];
  const auto asked = asked_.find({entry.topic, entry.partition});
  if (asked == asked_.end()) return std::nullopt;
  const std::uint32_t number = asked->second;
  asked_.erase(asked);
  const auto it = waiting_.find(number);
  const auto error = entry.err != RD_KAFKA_RESP_ERR_NO_ERROR ? entry.err : rd_kafka_event_error(answer.get());
  if (it == waiting_.end() || it->second.offset != entry.offset) return next();
  if (error != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const std::string why = rd_kafka_err2str(error);
    if (why != why_) {
      log::warning("kafka: the group does not take the position where a gate begins; the partition waits for it",
                   {{"stream", stream_}, {"topic", entry.topic}, {"partition", std::to_string(entry.partition)}, {"why", why}});
    }
    why_ = why;
    return next();
  }
  const Begun begun{number, it->second.offset};
  waiting_.erase(it);
  if (waiting_.empty()) why_.clear();
  return begun;
}

}  // namespace driftd::ingest
