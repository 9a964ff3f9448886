// LinkStatus: how a source stands with its server, for other threads, metrics and the log (one line
// a change). Thread-safe: snapshot() from any thread, the rest from the polling thread.
#pragma once

#include <mutex>
#include <string>
#include <vector>

#include "ingest/source.h"

namespace driftd::ingest {

class LinkStatus {
 public:
  // `source` is the unit's name, as in metrics; `telemetry` may be nullptr.
  LinkStatus(std::string source, std::string stream, Telemetry* telemetry)
      : source_(std::move(source)), stream_(std::move(stream)), telemetry_(telemetry) {
    if (telemetry_ != nullptr) telemetry_->series(Metric::kSourceReconnects, {stream_, source_});
  }

  void connecting(const std::string& servers);
  void up();
  // No server answers; why() is what was last noted.
  void down();
  // What went wrong with one connection: kept for down(), not logged.
  void note(const std::string& what) { why_ = what; }
  // Anything else that went wrong: logged when it is new.
  void trouble(const std::string& what);
  // The trouble is over.
  void well();
  void assigned(bool yes);
  void full(bool yes);
  // Something that the configuration names is not there; empty: everything is. Logged when it changes, and what
  // people read until then, whatever else there is to say.
  void missing(const std::string& what);
  void lags(std::vector<PartitionStatus> partitions);
  void closed();

  SourceStatus snapshot() const;

 private:
  std::string source_;
  std::string stream_;
  Telemetry* telemetry_;
  std::string why_;
  std::string trouble_;
  std::string missing_;
  bool told_down_ = false;
  mutable std::mutex mutex_;  // guards status_
  SourceStatus status_;
};

}  // namespace driftd::ingest
