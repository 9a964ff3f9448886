// What everything that speaks Kafka here shares: settings to a librdkafka client, and its messages
// to RawBatches. librdkafka's own types are only named; its header stays in the .cc files.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/params.h"
#include "core/raw_batch.h"
#include "core/result.h"

struct rd_kafka_s;
struct rd_kafka_conf_s;
struct rd_kafka_message_s;
struct rd_kafka_topic_partition_list_s;

namespace driftd::ingest {

using TextPairs = std::vector<std::pair<std::string, std::string>>;

struct KafkaConnection {
  std::vector<std::string> brokers;
  TextPairs options;          // to librdkafka as they are; they win over driftd's own
  std::string password_file;  // its first line becomes sasl.password; empty: none
  bool operator==(const KafkaConnection&) const = default;
};

// The parameters brokers, options and sasl_password_file, and how they are read.
std::vector<ParamSpec> kafka_connection_params();
KafkaConnection kafka_connection(const Params& params);
// Every option that librdkafka refuses, brokers that are empty or have a password, a password file that cannot be read, and files of
// certificates and keys that cannot be used, each with where it was written (a node of `params`). `inherited` are options of another
// connection that these are added to, and what is wrong with them alone is not said. Connects nowhere.
std::vector<std::pair<const Node*, std::string>> kafka_connection_problems(const Params& params, const TextPairs& inherited = {});

struct KafkaConfDeleter {
  void operator()(rd_kafka_conf_s* conf) const;
};
using KafkaConf = std::unique_ptr<rd_kafka_conf_s, KafkaConfDeleter>;
// Shared, because messages must be gone before the client is.
using KafkaHandle = std::shared_ptr<rd_kafka_s>;

// `defaults` first, then the connection's options. An Error names the option and why it was
// refused; it never shows a value.
Result<KafkaConf> kafka_conf(const KafkaConnection& connection, const TextPairs& defaults);

// A consumer; its log lines go to core/log. `opaque` is what callbacks get.
Result<KafkaHandle> kafka_consumer(KafkaConf conf, void* opaque);
Result<KafkaHandle> kafka_producer(KafkaConf conf, void* opaque);

// For a closed consumer whose group has never assigned anything. librdkafka 2.0 ends the process (an assertion in
// rd_kafka_sticky_assignor_state_destroy) when it destroys one that was closed between the answer to its join and the assignment, which
// is where a driftd is that is stopped right after its start. Its threads stay. Thread-safe.
void keep_until_exit(KafkaHandle client);

struct KafkaListDeleter {
  void operator()(rd_kafka_topic_partition_list_s* list) const;
};
// Partitions with an offset each.
using KafkaList = std::unique_ptr<rd_kafka_topic_partition_list_s, KafkaListDeleter>;
KafkaList new_kafka_list();
// Appends one. `metadata` goes with a commit of the offset, for whoever asks for it; empty: none.
void add_offset(rd_kafka_topic_partition_list_s& list, const std::string& topic, std::int32_t partition, std::int64_t offset,
                const std::string& metadata = {});

// With views into the message; without its topic.
RawRecord raw_record(const rd_kafka_message_s& message);

// Owns messages that a RawBatch views; destroys them, then lets go of the client.
class KafkaMessages {
 public:
  explicit KafkaMessages(KafkaHandle handle) : handle_(std::move(handle)) {}
  KafkaMessages(const KafkaMessages&) = delete;
  KafkaMessages& operator=(const KafkaMessages&) = delete;
  ~KafkaMessages() { clear(); }

  void add(rd_kafka_message_s* message) { messages_.push_back(message); }
  void clear();
  bool empty() const { return messages_.empty(); }
  std::size_t size() const { return messages_.size(); }
  const rd_kafka_message_s& operator[](std::size_t i) const { return *messages_[i]; }
  // Offset behind the last message. Precondition: not empty.
  std::int64_t next_offset() const;

  // Makes the batch's records; `messages` becomes its owner. Precondition: not empty.
  static void hand_over(std::shared_ptr<KafkaMessages> messages, std::uint32_t partition, RawBatch& out);

 private:
  KafkaHandle handle_;
  std::vector<rd_kafka_message_s*> messages_;
};

}  // namespace driftd::ingest
