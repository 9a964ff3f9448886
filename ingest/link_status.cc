#include "ingest/link_status.h"

#include "core/log.h"

namespace driftd::ingest {

void LinkStatus::connecting(const std::string& servers) {
  why_ = "connecting to " + servers;
  const std::lock_guard lock(mutex_);
  status_ = {};
  status_.detail = why_;
}

void LinkStatus::up() {
  {
    const std::lock_guard lock(mutex_);
    if (status_.connected) return;
    status_.connected = true;
    status_.full = false;
    status_.detail.clear();
  }
  told_down_ = false;
  log::info("source: connected", {{"stream", stream_}, {"source", source_}});
}

void LinkStatus::down() {
  bool was_up = false;
  {
    const std::lock_guard lock(mutex_);
    was_up = std::exchange(status_.connected, false);
    status_.detail = why_;
  }
  if (was_up && telemetry_ != nullptr) telemetry_->series(Metric::kSourceReconnects, {stream_, source_}).add();
  if (std::exchange(told_down_, true)) return;
  log::warning("source: no server answers; trying again", {{"stream", stream_}, {"source", source_}, {"why", why_}});
}

void LinkStatus::trouble(const std::string& what) {
  if (what == trouble_) return;
  trouble_ = what;
  log::warning("source: trouble", {{"stream", stream_}, {"source", source_}, {"what", what}});
  const std::lock_guard lock(mutex_);
  status_.detail = what;
}

void LinkStatus::well() {
  if (trouble_.empty()) return;
  trouble_.clear();
  log::info("source: the trouble is over", {{"stream", stream_}, {"source", source_}});
  const std::lock_guard lock(mutex_);
  status_.detail.clear();
}

void LinkStatus::assigned(bool yes) {
  const std::lock_guard lock(mutex_);
  status_.assigned = yes;
}

void LinkStatus::full(bool yes) {
  const std::lock_guard lock(mutex_);
  status_.full = yes;
}

void LinkStatus::missing(const std::string& what) {
  if (what == missing_) return;
  if (what.empty()) {
    log::info("source: everything is there again", {{"stream", stream_}, {"source", source_}});
  } else {
    log::error("source: something is not there", {{"stream", stream_}, {"source", source_}, {"what", what}});
  }
  missing_ = what;
  const std::lock_guard lock(mutex_);
  status_.missing = what;
}

void LinkStatus::lags(std::vector<PartitionStatus> partitions) {
  const std::lock_guard lock(mutex_);
  status_.partitions = std::move(partitions);
}

void LinkStatus::closed() {
  const std::lock_guard lock(mutex_);
  status_ = {};
  status_.detail = "closed";
}

SourceStatus LinkStatus::snapshot() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

}  // namespace driftd::ingest
