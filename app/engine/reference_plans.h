// A stream's plans, one for each reference that holds for a part of event time.
#pragma once

#include <vector>

#include "app/engine/editions.h"
#include "stats/reference_store.h"

namespace driftd::app {

// The first holds from the beginning (without a reference, when none does); never empty.
Result<std::vector<PlanEdition>> make_plans(const StreamConfig& config, const std::vector<stats::ReferenceEdition>& references,
                                            bool all_findings);

// For recorded data: the first reference also holds before its time, because what is replayed is mostly
// older than the day on which somebody promoted something.
std::vector<stats::ReferenceEdition> for_recorded_data(std::vector<stats::ReferenceEdition> references);

}  // namespace driftd::app
