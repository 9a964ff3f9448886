// Redeliveries: tells MQTT messages that a broker sends again from those that are new.
//
// A broker sends again, with the DUP flag and the same packet identifier, what it has no PUBACK for
// (MQTT 3.1.1, 4.4; MQTT 5, 4.4). An identifier is used anew only after its PUBACK, so such a message is one
// we have when it is the newest journaled one of its identifier in the session: topic and payload the same
// too. (One that never came, with the identifier, topic and payload of the one before, cannot be told from it.)
// Only what an earlier connection journaled is looked at, each once, and only until the new connection has
// brought as many messages as could have been open: afterwards packet identifiers are used anew.
// Thread-safety: none. Cost: O(1) a message, 16 bytes a message kept.
#pragma once

#include <cstdint>
#include <deque>
#include <string_view>
#include <unordered_map>
#include <utility>

namespace driftd::ingest {

class Redeliveries {
 public:
  explicit Redeliveries(std::size_t capacity) : capacity_(capacity) {}

  // The message is durable in the journal.
  void journaled(std::uint32_t packet_id, std::string_view topic, std::string_view payload);
  // A connection to the same session begins, or to a new one, which sends nothing again.
  void connected(bool same_session);
  // False: nothing can be a redelivery, so DUP flags need not be known.
  bool expects() const { return !open_.empty(); }
  // Call for every message in order. True: it has been journaled before.
  bool recognise(bool dup, std::uint32_t packet_id, std::string_view topic, std::string_view payload);

 private:
  static std::uint64_t key(std::uint32_t packet_id, std::string_view topic, std::string_view payload);

  std::size_t capacity_;
  std::deque<std::pair<std::uint32_t, std::uint64_t>> newest_;  // packet identifiers and keys, oldest first
  std::unordered_map<std::uint32_t, std::uint64_t> open_;       // of them, what may come again
  std::size_t left_ = 0;                                        // messages until open_ is given up
};

}  // namespace driftd::ingest
