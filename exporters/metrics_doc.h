// The metrics as a page: docs/METRICS.md and `driftd describe metrics`.
#pragma once

#include <string>

namespace driftd::exporters {

std::string metrics_doc();

}  // namespace driftd::exporters
