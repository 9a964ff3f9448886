// Judge: closed windows to verdicts and findings.
#pragma once

#include <vector>

#include "app/engine/plan.h"

namespace driftd::app {

// Sees every judgement of wide windows, also the good ones; for metrics.
class VerdictObserver {
 public:
  virtual ~VerdictObserver() = default;
  virtual void judged(const stats::Window& window, std::size_t check, const rules::Judgement& judgement) = 0;
};

// Judges one window with the checks of a level and appends the findings that are not ok (all of them
// when the plan says so). A window of a sensor or a segment without rows is judged only by the checks that
// found something in it. A partial window gets no verdict (warming_up), nor does one
// of more rows than counters hold (too_many_records). `observer` may be null.
void judge_window(const StreamPlan& plan, std::size_t level, const CheckSet& checks, const stats::Window& window, VerdictObserver* observer,
                  std::vector<Finding>& out);

// A finding on one record of a sensor.
Finding record_finding(const StreamPlan& plan, std::size_t check, const rules::Check& unit, const rules::Judgement& judgement,
                       const std::string& sensor, Time time, const std::string& source);

// "partition:position", how findings, rejects and the quarantine name a record.
std::string record_source(std::uint32_t partition, std::int64_t position);

}  // namespace driftd::app
