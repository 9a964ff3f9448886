// What the operating system knows about this process, for the process_* metrics that every
// Prometheus client exports under the same names.
//
// Source: Prometheus "Writing client libraries", section Process metrics; proc(5).
// Thread-safe. Cost: four small reads in /proc and one directory listing.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/telemetry.h"

namespace driftd::exporters {

struct ProcessMetric {
  const char* name;
  MetricType type;
  const char* help;
  std::optional<double> value;  // nullopt: could not be read, or there is none ("unlimited")
};

// Always the same metrics in the same order. `proc` is where procfs is mounted (tests give their
// own).
std::vector<ProcessMetric> process_metrics(const std::string& proc = "/proc");

}  // namespace driftd::exporters
