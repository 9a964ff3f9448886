// KafkaTransaction: a transactional producer, and what its calls come to. Every call but add_positions() waits for a
// bounded time; a call that says kAgain may be made again. Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "ingest/kafka_client.h"

struct rd_kafka_error_s;
struct rd_kafka_headers_s;

namespace driftd::ingest {

class KafkaTransaction {
 public:
  enum class Outcome {
    kDone,
    kAgain,   // not yet: the broker is away or slow
    kAbort,   // this transaction cannot be committed
    kBroken,  // this producer is of no use any more (fenced, not authorized)
  };
  // One message. Its bytes must stay until its transaction has ended.
  struct Message {
    const std::string* topic;
    const void* payload;  // nullptr: a tombstone
    std::size_t size;
    const void* key;  // nullptr: none
    std::size_t key_size;
    std::int64_t millis;          // 0: now
    rd_kafka_headers_s* headers;  // taken over when it was sent
    void* opaque;                 // what partition_of and on_refused get
  };
  struct Hooks {
    // Place of a message among the partitions of its topic, of which there are `count`. Called from
    // threads of librdkafka.
    std::int32_t (*partition_of)(void* opaque, std::int32_t count);
    // The broker refused the message for good.
    void (*on_refused)(void* opaque, const char* why);
  };
  struct Offset {
    std::string topic;
    std::int32_t partition;
    std::int64_t position;
    std::string metadata;
  };

  KafkaTransaction(KafkaConnection connection, std::string id, Hooks hooks)
      : connection_(std::move(connection)), id_(std::move(id)), hooks_(hooks) {}
  ~KafkaTransaction() { close(); }

  // Makes the producer when there is none; ends what an earlier one of the same id left open, and
  // keeps that one from going on.
  Outcome open(const std::vector<std::string>& topics);
  void close();

  Outcome begin();
  // kDone: it is on its way. kAgain: no room now.
  Outcome send(const Message& message);
  // Waits until everything is delivered.
  Outcome flush();
  // Makes positions of the consumer's group part of the transaction, under the membership that
  // `group` (from membership_of) stands for; nothing is changed when the group has moved on since.
  struct Membership;
  static std::shared_ptr<Membership> membership_of(rd_kafka_s* consumer);
  // Hangs while the group's coordinator cannot be reached: librdkafka 2.0 (rdkafka_coord.c) then waits for the connection without a limit,
  // and not even destroying the producer would end that.
  Outcome add_positions(const std::vector<Offset>& offsets, Membership& membership);
  Outcome commit();
  Outcome abort();

  // Why the newest call did not say kDone.
  const std::string& why() const { return why_; }

 private:
  Outcome judge(const char* step, rd_kafka_error_s* error);
  Outcome judge(const char* step, int error);

  KafkaConnection connection_;
  std::string id_;
  Hooks hooks_;
  KafkaHandle producer_;
  std::string why_;
  std::string noted_;  // what librdkafka said last
  bool ready_ = false;
};

}  // namespace driftd::ingest
