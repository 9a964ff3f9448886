// StreamMetrics: what a stream's engine reports, as metrics. One object a stream.
//
// Thread-safety: judged() is called under the merger lock; the counters of partitions are added by
// their workers through Series, which are atomic.
#pragma once

#include <array>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "app/engine/judge.h"
#include "core/reject.h"
#include "core/telemetry.h"

namespace driftd::app {

class StreamMetrics final : public VerdictObserver {
 public:
  // A new plan (reload) takes the old one's series along.
  StreamMetrics(Telemetry& telemetry, std::shared_ptr<const StreamPlan> plan);

  void judged(const stats::Window& window, std::size_t check, const rules::Judgement& judgement) override;
  // Findings on sensors and records count as failures too.
  void found(const std::vector<Finding>& findings);

  Series& accepted() { return accepted_; }
  Series& late() { return late_; }
  Series& duplicate() { return duplicate_; }
  Series& rejected() { return rejected_; }
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

  Telemetry& telemetry_;
  std::shared_ptr<const StreamPlan> plan_;
  Series& accepted_;
  Series& late_;
  Series& duplicate_;
  Series& rejected_;
  std::array<Series*, kRejectReasons> reasons_{};
  std::map<std::pair<Segment, std::size_t>, Verdicts> verdicts_;
};

// "stream", or "site=north".
std::string segment_label(const Segment& segment);

}  // namespace driftd::app
