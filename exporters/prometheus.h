// Prometheus: Telemetry and process metrics in the text exposition format 0.0.4.
//
// Every family has HELP and TYPE; samples that are not finite are left out, so a scrape never shows
// NaN. A label value that is no clean UTF-8, holds control characters or is longer than 256 bytes
// is cut and gets a hash behind it: one such value would make Prometheus refuse the whole scrape.
// Values over the cap of series appear as one sample with the only label overflow="true".
//
// Source: Prometheus "Exposition formats", text format 0.0.4.
// Thread-safe. Cost: one snapshot of the Telemetry, O(series) memory and time.
#pragma once

#include <string>
#include <string_view>

#include "core/telemetry.h"

namespace driftd::exporters {

inline constexpr const char* kPrometheusContentType = "text/plain; version=0.0.4; charset=utf-8";

std::string prometheus_text(const Telemetry& telemetry);

// `value` as it is exported as the value of a label.
std::string label_value(std::string_view value);

}  // namespace driftd::exporters
