// StreamMetrics: what a stream's engine reports, as metrics. One object a stream.
//
// What can be known before the first record is there from the start: counters at zero, detectors at 0, the source
// as not up, so that a rule that looks at an increase sees the first one, and free-form series cannot
// take their room (limits.series).
// Thread-safety: judged() is called under the merger lock, lags() and detector() by the polling thread; the
// counters of partitions are added by their workers through Series, which are atomic.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/engine/judge.h"
#include "core/reject.h"
#include "core/telemetry.h"
#include "ingest/source.h"

namespace driftd::app {

class StreamMetrics final : public VerdictObserver {
 public:
  // A new plan (reload, restart) takes the old one's series along, and ends the gauges of checks, segments, detectors,
  // sources and gates that it does not have.
  StreamMetrics(Telemetry& telemetry, std::shared_ptr<const StreamPlan> plan);

  void judged(const stats::Window& window, std::size_t check, const rules::Judgement& judgement) override;
  // Findings on sensors and records count as failures too.
  void found(const std::vector<Finding>& findings);

  // Indices of the checks that are detectors.
  const std::vector<std::size_t>& detectors() const { return detectors_; }
  // `which` is an index in detectors(); `worst` of all partitions.
  void detector(std::size_t which, Verdict worst) { detector_states_[which]->set(static_cast<double>(worst)); }

  void source_up(bool up) { source_up_.set(up ? 1 : 0); }
  // Of the partitions that this process has; the series of others end.
  void lags(const std::vector<ingest::PartitionStatus>& partitions);

  Series& accepted() { return accepted_; }
  Series& late() { return late_; }
  Series& duplicate() { return duplicate_; }
  Series& rejected() { return rejected_; }
  // Of a stream with quarantine.failed: records that went there because of this check.
  Series& quarantined(const std::string& check) { return *quarantined_.at(check); }
  Series& reject_reason(RejectReason reason) { return *reasons_[static_cast<std::size_t>(reason)]; }
  Telemetry& telemetry() { return telemetry_; }

 private:
  struct Verdicts {
    Series* verdict;
    Series* value;
    Series* threshold;
    Series* samples;
    Series* distance;  // null unless the check is a distance
  };
  Verdicts& verdicts(const Segment& segment, std::size_t check);
  std::string field_of(const CheckConfig& check) const;
  bool judges(std::size_t check, const std::string& segment) const;
  bool is_gone(Metric metric, const std::vector<std::string>& labels) const;

  Telemetry& telemetry_;
  std::shared_ptr<const StreamPlan> plan_;
  Series& accepted_;
  Series& late_;
  Series& duplicate_;
  Series& rejected_;
  Series& source_up_;
  std::array<Series*, kRejectReasons> reasons_{};
  std::map<std::string, Series*> quarantined_;  // by check; empty: no quarantine.failed
  std::vector<std::size_t> detectors_;
  std::vector<Series*> detector_states_;   // one each
  std::map<std::uint32_t, Series*> lags_;  // by partition
  std::map<std::pair<Segment, std::size_t>, Verdicts> verdicts_;
};

// "stream", or "site=north".
std::string segment_label(const Segment& segment);

}  // namespace driftd::app
