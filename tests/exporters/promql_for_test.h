// Holds PromQL queries against core/telemetry.def without parsing PromQL: every metric named in a
// query must exist, and every label matched or grouped by must belong to one of its metrics.
#pragma once

#include <regex>
#include <set>
#include <string>

#include "core/telemetry.h"
#include "exporters/process_metrics.h"

namespace driftd::exporters {

// Adds the labels of the metric to `labels`; false when there is no such metric.
inline bool labels_of_metric(const std::string& name, std::set<std::string>& labels) {
  if (name == "up") return true;
  for (const ProcessMetric& metric : process_metrics()) {
    if (name == metric.name) return true;
  }
  for (int i = 0; i < static_cast<int>(Metric::kCount); ++i) {
    const MetricInfo& metric = info(static_cast<Metric>(i));
    if (metric.name != name) continue;
    labels.insert(metric.labels.begin(), metric.labels.end());
    return true;
  }
  return false;
}

// "" when the query names at least one metric and nothing that driftd does not export.
inline std::string unknown_in_query(const std::string& query) {
  std::set<std::string> labels = {"job", "instance", "overflow"};
  const std::regex metric("\\b((?:driftd|process)_[a-z0-9_]+|up)\\b");
  bool any = false;
  for (std::sregex_iterator it(query.begin(), query.end(), metric), end; it != end; ++it) {
    any = true;
    if (!labels_of_metric((*it)[1], labels)) return "no metric " + std::string((*it)[1]);
  }
  if (!any) return "no metric at all";
  const std::regex matcher("[{,]\\s*([a-z_]+)\\s*(?:=~|!~|!=|=)");
  for (std::sregex_iterator it(query.begin(), query.end(), matcher), end; it != end; ++it) {
    if (labels.count((*it)[1]) == 0) return "no label " + std::string((*it)[1]);
  }
  const std::regex grouping("\\b(?:by|without|on|ignoring)\\s*\\(([^)]*)\\)");
  const std::regex word("[a-z_]+");
  for (std::sregex_iterator it(query.begin(), query.end(), grouping), end; it != end; ++it) {
    const std::string list = (*it)[1];
    for (std::sregex_iterator w(list.begin(), list.end(), word), stop; w != stop; ++w) {
      if (labels.count(w->str()) == 0) return "no label " + w->str();
    }
  }
  return "";
}

}  // namespace driftd::exporters
