#include "app/engine/reference_plans.h"

namespace driftd::app {

Result<std::vector<PlanEdition>> make_plans(const StreamConfig& config, const std::vector<stats::ReferenceEdition>& references,
                                            bool all_findings) {
  std::vector<PlanEdition> out;
  const auto add = [&](Time from, std::shared_ptr<const stats::Reference> reference) -> Status {
    auto plan = make_plan(config, std::move(reference), all_findings);
    if (!plan) return plan.error();
    out.push_back({from, std::move(*plan)});
    return {};
  };
  if (references.empty() || references.front().from != kNoTime) {
    if (const Status s = add(kNoTime, nullptr); !s) return s.error();
  }
  for (const stats::ReferenceEdition& edition : references) {
    // A window boundary: the first one that is not before it.
    const Duration slide = config.windows.slide;
    const Time from = edition.from == kNoTime ? kNoTime : floor_to(edition.from + slide - 1, slide);
    if (const Status s = add(from, edition.reference); !s) return s.error();
  }
  return out;
}

std::vector<stats::ReferenceEdition> for_recorded_data(std::vector<stats::ReferenceEdition> references) {
  if (!references.empty()) references.front().from = kNoTime;
  return references;
}

}  // namespace driftd::app
