#include "ingest/kafka_status.h"

#include "core/log.h"

namespace driftd::ingest {

void KafkaStatus::connecting(const std::string& brokers) {
  why_ = "connecting to " + brokers;
  const std::lock_guard lock(mutex_);
  status_ = {false, false, why_, {}};
}

void KafkaStatus::up() {
  {
    const std::lock_guard lock(mutex_);
    if (status_.connected) return;
    status_.connected = true;
    status_.detail.clear();
  }
  told_down_ = false;
  log::info("kafka: connected", {{"stream", stream_}});
}

void KafkaStatus::down() {
  bool was_up = false;
  {
    const std::lock_guard lock(mutex_);
    was_up = std::exchange(status_.connected, false);
    status_.detail = why_;
  }
  if (was_up && telemetry_ != nullptr)
    telemetry_->series(Metric::kSourceReconnects, {stream_, "kafka"}).add();
  if (std::exchange(told_down_, true)) return;
  log::warning("kafka: no broker answers; trying again", {{"stream", stream_}, {"why", why_}});
}

void KafkaStatus::trouble(const std::string& what) {
  if (what == trouble_) return;
  trouble_ = what;
  log::warning("kafka: trouble", {{"stream", stream_}, {"what", what}});
  const std::lock_guard lock(mutex_);
  status_.detail = what;
}

void KafkaStatus::assigned(bool yes) {
  const std::lock_guard lock(mutex_);
  status_.assigned = yes;
}

void KafkaStatus::lags(std::vector<PartitionStatus> partitions) {
  const std::lock_guard lock(mutex_);
  status_.partitions = std::move(partitions);
}

void KafkaStatus::closed() {
  const std::lock_guard lock(mutex_);
  status_ = {false, false, "closed", {}};
}

SourceStatus KafkaStatus::snapshot() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace driftd::ingest
