#include "app/engine/judge.h"

#include "app/engine/engine_reasons.h"

namespace driftd::app {
namespace {

Finding base_finding(const StreamPlan& plan, std::size_t check, const rules::Check& unit, const rules::Judgement& judgement) {
  const CheckConfig& config = plan.config.checks[check];
  Finding f;
  f.stream = plan.config.name;
  if (config.field >= 0) f.field = plan.config.schema.fields[static_cast<std::size_t>(config.field)].name;
  f.check = config.name;
  f.kind = unit.kind();
  f.verdict = judgement.verdict;
  f.reason = judgement.reason;
  f.severity = config.severity;
  f.value = judgement.value;
  f.threshold = judgement.threshold;
  f.n = judgement.n;
  f.n_reference = judgement.n_reference;
  f.effect = judgement.effect;
  if (judgement.uses_reference && plan.reference != nullptr) f.reference = plan.reference->id();
  f.detail = judgement.detail;
  return f;
}

}  // namespace

std::string record_source(std::uint32_t partition, std::int64_t position) {
  return std::to_string(partition) + ":" + std::to_string(position);
}

void judge_window(const StreamPlan& plan, std::size_t level, const CheckSet& checks, const stats::Window& window, VerdictObserver* observer,
                  std::vector<Finding>& out) {
  // The window of a sensor or a segment that has no rows is there only because a check found that they are
  // missing (gap); it says nothing to the others. The stream's window is always there, and judged by all.
  const bool found_only = window.rows == 0 && plan.config.windows.levels[level].kind != Level::Kind::kStream;
  const char* unjudged = window.partial ? kWarmingUp : window.rows >= stats::kUncounted ? kTooManyRecords : nullptr;
  for (std::size_t c = 0; c < checks.size(); ++c) {
    if (!plan.judged[level][c] || (found_only && window.tallies[c].failed == 0)) continue;
    const rules::Judgement judgement =
        unjudged != nullptr ? rules::Judgement::none(unjudged, window.rows) : checks[c]->judge(window, window.tallies[c]);
    if (observer != nullptr) observer->judged(window, c, judgement);
    if (judgement.verdict == Verdict::kOk && !plan.all_findings) continue;
    // Its records have said so already, each as a finding of its own.
    if (checks[c]->judges_records() && (judgement.verdict == Verdict::kWarn || judgement.verdict == Verdict::kFail)) continue;
    Finding f = base_finding(plan, c, *checks[c], judgement);
    f.segment = window.segment;
    f.window_start = window.start;
    f.window_end = window.end;
    if (*window.closed_by != '\0') f.detail.push_back({"closed_by", window.closed_by, std::nullopt});
    f.id = finding_id(f, plan.config.hash);
    out.push_back(std::move(f));
  }
}

Finding record_finding(const StreamPlan& plan, std::size_t check, const rules::Check& unit, const rules::Judgement& judgement,
                       const std::string& sensor, Time time, const std::string& source) {
  Finding f = base_finding(plan, check, unit, judgement);
  f.segment = {"sensor", sensor};
  f.window_start = floor_to(time, plan.config.windows.slide);
  f.window_end = f.window_start + plan.config.windows.slide;
  f.record_time = time;
  f.record_source = source;
  f.id = finding_id(f, plan.config.hash);
  return f;
}

}  // namespace driftd::app
