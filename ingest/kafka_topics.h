// KafkaTopics: which of a source's topics are not there, or not for us to read, and whether one that
// is there again is the one that it was.
//
// A topic counts as missing only when a broker said so, and until a broker says otherwise. Brokers
// have been wrong about that for a moment, so that a topic which comes back is compared with what was
// read from it before: reading all of it again would judge its records twice, going on in another
// topic's middle would skip some. Thread-safety: none; may wait for a broker for some seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "ingest/kafka_client.h"
#include "ingest/kafka_partitions.h"

namespace driftd::ingest {

class KafkaTopics {
 public:
  KafkaTopics(const std::vector<std::string>& names, KafkaConnection connection, KafkaHandle client);

  // An error that librdkafka reported; `topic` as a message's own, or the beginning of `why` names it. True when
  // it says that a topic is missing or must not be read.
  bool report(int error, const std::string& topic, const std::string& why);
  // Asks for the topics that something is wrong with, when it is time to.
  void look();

  // What is wrong, with what to do about it, for people; empty: nothing.
  std::string trouble() const;
  // The partition's topic was missing since its position was known, and nothing was made of it yet (settled()):
  // whether its position means anything is not known.
  bool doubtful(std::uint32_t number) const;
  // Of such a partition: is the topic there again, and the same? nullopt: not there, or it could not be learnt yet.
  std::optional<bool> same(std::uint32_t number, const KafkaPartitions& partitions);
  void settled(std::uint32_t number) { settled_.insert(number); }

 private:
  enum class State { kThere, kMissing, kDenied };
  struct Topic {
    std::string name;
    State state = State::kThere;
    bool was_missing = false;
    std::optional<bool> same;  // as the one that was missing
    Duration denied_at = 0;    // when a fetch was last refused; monotonic
    Duration compare_at = 0;   // not before; monotonic
  };

  void set_missing(Topic& topic);
  // What the brokers say; nullopt: none answers.
  std::optional<State> ask(const std::string& topic);

  std::vector<Topic> topics_;  // in the configuration's order
  KafkaConnection connection_;
  KafkaHandle client_;
  std::set<std::uint32_t> settled_;  // partitions of topics that were missing
  Duration next_look_ = 0;           // monotonic
};

}  // namespace driftd::ingest
