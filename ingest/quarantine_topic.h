// QuarantineTopic: rejected records, and those that failed a check where that is asked for, to a Kafka topic, beside the
// quarantine on disk.
//
// A record goes whole, under its own key, with headers named as a gate names them:
//
//   driftd-verdict    reject | invalid
//   driftd-stream     name of the stream
//   driftd-position   topic/partition/offset that it was read from; no topic for sources without
//   driftd-reason     see RejectReason; of an invalid one the check's
//   driftd-detail     the text at fault, or the value; absent when there is none
//   driftd-check, driftd-field   of an invalid one: the first check that failed, and its field
//   driftd-checks     all that failed, with commas, when there are several
//   driftd-refused    librdkafka's word for why only a stub without payload is here
//   (MSG_SIZE_TOO_LARGE)
//
// It never stops a stream: at most `buffer` bytes wait, what finds no room or is given up after
// message.timeout.ms (5 min) is dropped and counted. What was rejected since the newest checkpoint
// comes again after a crash; what a checkpoint is past was sent before (flush()), unless the brokers
// were away or slow: of that a crash loses what waits.
// Thread-safety: none; one owner. Cost of add(): a copy of the record.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/reject.h"
#include "core/result.h"
#include "ingest/gate.h"
#include "ingest/kafka_client.h"

namespace driftd::ingest {

struct QuarantineTopicOptions {
  KafkaConnection connection;
  std::string stream;
  std::string topic;
  std::uint64_t buffer = 16ULL << 20;  // bytes that may wait
  bool operator==(const QuarantineTopicOptions&) const = default;
};

class QuarantineTopic {
 public:
  static constexpr int kPartingMillis = 3000;  // that the destructor waits for what is on its way
  static constexpr int kBehindMillis = 100;

  // Error{kInvalidArgument, kIo}: an option or the password file. That no broker answers is none.
  static Result<std::unique_ptr<QuarantineTopic>> make(QuarantineTopicOptions options);
  QuarantineTopic(const QuarantineTopic&) = delete;
  QuarantineTopic& operator=(const QuarantineTopic&) = delete;
  ~QuarantineTopic();

  void add(std::uint32_t partition, const RawRecord& record, RejectReason reason, std::string_view detail);
  void add(std::uint32_t partition, const RawRecord& record, const GateMark& why);
  // Takes the brokers' answers; call now and then.
  void poll();
  // Waits until nothing is on its way, but not long: when the last call was in vain already, for
  // kBehindMillis.
  void flush(Deadline deadline);

  const QuarantineTopicOptions& options() const { return options_; }
  std::uint64_t sent() const { return sent_; }             // acknowledged, since it was made
  std::uint64_t dropped() const { return dropped_; }       // since it was made
  const std::string& trouble() const { return trouble_; }  // why the newest was dropped; else empty

 private:
  explicit QuarantineTopic(QuarantineTopicOptions options) : options_(std::move(options)) {}
  // librdkafka's error code for the record with these headers.
  int produce(std::uint32_t partition, const RawRecord& record, const GateMark& why, const char* refused);
  void answered(int error);

  friend struct QuarantineTopicReports;
  QuarantineTopicOptions options_;
  KafkaHandle producer_;
  std::uint64_t sent_ = 0;
  std::uint64_t dropped_ = 0;
  bool behind_ = false;  // flush() was in vain
  std::string trouble_;
};

}  // namespace driftd::ingest
