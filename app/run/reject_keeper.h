// RejectKeeper: where a stream's rejected records go, and, when the stream asks for it, those that failed a check: the
// quarantine on disk and, when the stream asks for it, a Kafka topic. Neither ever stops the stream. Thread-safe.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/reject.h"
#include "core/telemetry.h"
#include "ingest/quarantine.h"
#include "ingest/quarantine_topic.h"

namespace driftd::app {

class RejectKeeper {
 public:
  RejectKeeper(const ingest::QuarantineOptions& options, const Clock& clock, Telemetry& telemetry);

  // The topic of rejects from now on; nullopt: none. One that stays the same keeps what waits. On an Error
  // (QuarantineTopic::make) nothing is changed. May take QuarantineTopic::kPartingMillis.
  Status send_to(const std::optional<ingest::QuarantineTopicOptions>& options);

  void keep(std::uint32_t partition, const RawRecord& record, RejectReason reason, std::string_view detail);
  void keep_failed(std::uint32_t partition, const RawRecord& record, const ingest::GateMark& why);

  // What was kept until now survives a kill when this returns: it is on disk, and the topic has it, unless the brokers
  // do not answer by the deadline. What could not be written is counted as dropped.
  void secure(Deadline deadline);

  // Writes what waits, says in metrics how much there is, and in the log when rejects begin to be lost.
  void publish();

 private:
  // Logs when trouble begins and when it is over.
  void say(const std::string& trouble, std::string& said, std::string_view where) const;

  const std::string stream_;
  Telemetry& telemetry_;
  std::mutex mutex_;
  ingest::Quarantine quarantine_;
  std::unique_ptr<ingest::QuarantineTopic> topic_;
  std::uint64_t sent_ = 0, dropped_ = 0;  // by topic_, as published
  std::string said_of_disk_, said_of_topic_;
};

}  // namespace driftd::app
