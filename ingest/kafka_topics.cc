#include "ingest/kafka_topics.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>

#include "core/log.h"
#include "ingest/kafka_record_mark.h"

namespace driftd::ingest {
namespace {

constexpr Duration kLookEvery = 2 * kSecond;
constexpr Duration kAfterSilence = 10 * kSecond;  // no broker answered
constexpr Duration kDeniedFor = 10 * kSecond;     // librdkafka tries, and reports, several times in that time
constexpr int kPatienceMillis = 2000;

}  // namespace

KafkaTopics::KafkaTopics(const std::vector<std::string>& names, KafkaConnection connection, KafkaHandle client)
    : connection_(std::move(connection)), client_(std::move(client)) {
  for (const std::string& name : names) topics_.emplace_back().name = name;
}

bool KafkaTopics::report(int error, const std::string& topic, const std::string& why) {
  const bool denied = error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED;
  const bool missing = error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || error == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC ||
                       error == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION;
  if (!denied && !missing) return false;
  bool found = false;
  for (Topic& t : topics_) {
    // Errors of a partition come without a topic, as "topic [3]: what is wrong".
    if (t.name != topic && why.rfind(t.name + " [", 0) != 0) continue;
    found = true;
    if (missing) {
      set_missing(t);
    } else {
      t.state = State::kDenied;
      t.denied_at = monotonic_now();
    }
  }
  return found;
}

void KafkaTopics::set_missing(Topic& topic) {
  topic.state = State::kMissing;
  topic.was_missing = true;
  topic.same.reset();
  const auto first = static_cast<std::uint32_t>(&topic - topics_.data()) * kPartitionsPerTopic;
  settled_.erase(settled_.lower_bound(first), settled_.lower_bound(first + kPartitionsPerTopic));
}

void KafkaTopics::look() {
  const Duration now = monotonic_now();
  if (now < next_look_) return;
  next_look_ = now + kLookEvery;
  for (Topic& topic : topics_) {
    if (topic.state == State::kThere) continue;
    const auto state = ask(topic.name);
    if (!state) {
      next_look_ = monotonic_now() + kAfterSilence;
      return;
    }
    if (*state == State::kMissing) {
      set_missing(topic);
    } else if (topic.state != State::kDenied || now - topic.denied_at > kDeniedFor) {
      topic.state = *state;  // that we may know of a topic does not say that we may read it
    }
  }
}

std::optional<KafkaTopics::State> KafkaTopics::ask(const std::string& name) {
  const std::unique_ptr<rd_kafka_topic_t, void (*)(rd_kafka_topic_t*)> topic(rd_kafka_topic_new(client_.get(), name.c_str(), nullptr),
                                                                             rd_kafka_topic_destroy);
  const rd_kafka_metadata_t* metadata = nullptr;
  if (topic == nullptr || rd_kafka_metadata(client_.get(), 0, topic.get(), &metadata, kPatienceMillis) != 0) return std::nullopt;
  std::optional<State> state;
  if (metadata->topic_cnt == 1) {
    const rd_kafka_metadata_topic_t& told = metadata->topics[0];
    if (told.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) state = State::kMissing;
    if (told.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) state = State::kDenied;
    if (told.err == RD_KAFKA_RESP_ERR_NO_ERROR && told.partition_cnt > 0) state = State::kThere;
  }
  rd_kafka_metadata_destroy(metadata);
  return state;
}

std::string KafkaTopics::trouble() const {
  std::string out;
  for (const Topic& topic : topics_) {
    if (topic.state == State::kThere) continue;
    if (!out.empty()) out += "; ";
    out += topic.state == State::kMissing
               ? "topic '" + topic.name + "' does not exist (any more); create it, or, if it is the last, take it out of `topics`"
               : "topic '" + topic.name + "' must not be read (authorization failed); allow driftd's user " +
                     "to read and describe it, or, if it is the last, take it out of `topics`";
  }
  return out;
}

bool KafkaTopics::doubtful(std::uint32_t number) const {
  return topics_[number / kPartitionsPerTopic].was_missing && settled_.count(number) == 0;
}

std::optional<bool> KafkaTopics::same(std::uint32_t number, const KafkaPartitions& partitions) {
  Topic& topic = topics_[number / kPartitionsPerTopic];
  if (topic.state != State::kThere) return std::nullopt;
  if (topic.same) return topic.same;
  if (monotonic_now() < topic.compare_at) return std::nullopt;
  const auto read = partitions.newest_of(number / kPartitionsPerTopic);
  if (!read) return topic.same = false;  // nothing tells them apart; rather twice than not at all
  const auto found = kafka_has_record(connection_, topic.name, read->first, read->second);
  if (found) return topic.same = *found;
  next_look_ = topic.compare_at = monotonic_now() + kLookEvery;
  log::debug("kafka: whether a topic was made anew is not known yet", {{"topic", topic.name}, {"why", found.error().message}});
  return std::nullopt;
}

}  // namespace driftd::ingest
