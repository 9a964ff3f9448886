// The metrics of core/telemetry.def and of the process, and the reasons of rejects, as Markdown: docs/METRICS.md and what
// `driftd describe metrics` prints. Deterministic; a test compares the committed page with it.
#pragma once

#include <string>

namespace driftd::exporters {

std::string metrics_doc();

}  // namespace driftd::exporters
