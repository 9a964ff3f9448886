#include "app/run/reject_keeper.h"

#include "core/log.h"
#include "core/text.h"

namespace driftd::app {

RejectKeeper::RejectKeeper(const ingest::QuarantineOptions& options, const Clock& clock, Telemetry& telemetry)
    : stream_(options.stream), telemetry_(telemetry), quarantine_(options, clock) {}

Status RejectKeeper::send_to(const std::optional<ingest::QuarantineTopicOptions>& options) {
  std::unique_ptr<ingest::QuarantineTopic> topic;
  if (options) {
    for (const char* result : {"sent", "dropped"}) telemetry_.series(Metric::kQuarantineTopic, {stream_, result});
  }
  {
    const std::scoped_lock lock(mutex_);
    if (options ? topic_ != nullptr && topic_->options() == *options : topic_ == nullptr) return {};
  }
  if (options) {
    auto made = ingest::QuarantineTopic::make(*options);
    if (!made) return made.error().at("stream " + stream_ + ": quarantine");
    topic = std::move(*made);
  }
  publish();
  {
    const std::scoped_lock lock(mutex_);
    topic_.swap(topic);
    sent_ = dropped_ = 0;
  }
  return {};  // the old one sends what it has, without the lock
}

void RejectKeeper::keep(std::uint32_t partition, const RawRecord& record, RejectReason reason, std::string_view detail) {
  const std::scoped_lock lock(mutex_);
  quarantine_.add(partition, record, reason, detail);
  if (topic_ != nullptr) topic_->add(partition, record, reason, detail);
}

void RejectKeeper::keep_failed(std::uint32_t partition, const RawRecord& record, const ingest::GateMark& why) {
  const std::scoped_lock lock(mutex_);
  quarantine_.add_failed(partition, record, why);
  if (topic_ != nullptr) topic_->add(partition, record, why);
}

void RejectKeeper::secure(Deadline deadline) {
  const std::scoped_lock lock(mutex_);
  quarantine_.sync();
  if (topic_ != nullptr) topic_->flush(deadline);
}

void RejectKeeper::publish() {
  const std::scoped_lock lock(mutex_);
  quarantine_.flush();
  telemetry_.series(Metric::kQuarantineBytes, {stream_}).set(static_cast<double>(quarantine_.bytes()));
  telemetry_.series(Metric::kQuarantineDropped, {stream_}).set(static_cast<double>(quarantine_.dropped()));
  say(quarantine_.trouble(), said_of_disk_, "disk");
  if (topic_ == nullptr) return;
  topic_->poll();
  telemetry_.series(Metric::kQuarantineTopic, {stream_, "sent"}).add(static_cast<double>(topic_->sent() - sent_));
  telemetry_.series(Metric::kQuarantineTopic, {stream_, "dropped"}).add(static_cast<double>(topic_->dropped() - dropped_));
  sent_ = topic_->sent();
  dropped_ = topic_->dropped();
  say(topic_->trouble(), said_of_topic_, "topic");
}

void RejectKeeper::say(const std::string& trouble, std::string& said, std::string_view where) const {
  if (trouble.empty() != said.empty()) {
    if (trouble.empty()) {
      log::info("records are quarantined again", {{"stream", stream_}, {"where", std::string(where)}});
    } else {
      log::warning("records for the quarantine are dropped and counted; the stream goes on",
                   {{"stream", stream_}, {"where", std::string(where)}, {"why", excerpt(trouble, 300)}});
    }
  }
  said = trouble;
}

}  // namespace driftd::app
