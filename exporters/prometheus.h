// Telemetry as Prometheus text (exposition format 0.0.4), with the process's own metrics.
#pragma once

#include <string>

#include "core/telemetry.h"

namespace driftd::exporters {

inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

// A gauge or counter that nobody made is not there; nothing is ever NaN. Series over the cap come as one
// with overflow="true". Thread-safe.
std::string prometheus_text(const Telemetry& telemetry);

}  // namespace driftd::exporters
