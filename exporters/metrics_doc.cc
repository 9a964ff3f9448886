#include "exporters/metrics_doc.h"

#include "core/reject.h"
#include "core/telemetry.h"
#include "core/text.h"
#include "exporters/process_metrics.h"

namespace driftd::exporters {
namespace {

constexpr const char* kIntroduction =
    "# Metrics\n"
    "\n"
    "Made by `driftd describe metrics` from `core/telemetry.def`; do not edit. Served on `GET "
    "/metrics`\n"
    "in the Prometheus text format 0.0.4. Names and labels are a contract; units are base units.\n"
    "\n"
    "A counter is there from zero on, as soon as the stream or receiver that it is about is started, "
    "but\n"
    "for those whose labels cannot be known before (`driftd_extra_fields_total`, "
    "`driftd_http_requests_total`);\n"
    "a gauge that has never been set is not exported, and no value is ever NaN. A series ends with "
    "the\n"
    "stream, check, segment or partition that it is about. At most `service.limits.series` series are "
    "made (`driftd_series`):\n"
    "what goes beyond has one series of its family with the only label `overflow=\"true\"`, in which "
    "counters\n"
    "add up and a gauge has the value set last, and is counted in `driftd_series_dropped_total` each time it "
    "is asked for.\n"
    "These, the process metrics and the two that count series come on top. Sensor names, values and p-values are never labels.\n"
    "\n"
    "| metric | type | labels | meaning |\n"
    "|---|---|---|---|\n";

void add_row(std::string& out, const std::string& name, MetricType type, const std::vector<std::string>& labels, const std::string& help) {
  out += "| `" + name + "` | ";
  out += type == MetricType::kCounter ? "counter" : "gauge";
  out += " | ";
  if (!labels.empty()) out += "`" + join(labels, "`, `") + "`";
  out += " | " + help + " |\n";
}

}  // namespace

std::string metrics_doc() {
  std::string out = kIntroduction;
  for (int i = 0; i < static_cast<int>(Metric::kCount); ++i) {
    const MetricInfo& metric = info(static_cast<Metric>(i));
    add_row(out, metric.name, metric.type, metric.labels, metric.help);
  }
  for (const ProcessMetric& metric : process_metrics()) {
    add_row(out, metric.name, metric.type, {}, metric.help);
  }
  out +=
      "\n## Reasons of `driftd_rejects_total`\n\nThe same words stand in the quarantine and in a gate's `driftd-reason` of a reject.\n\n"
      "| reason | meaning |\n|---|---|\n";
  for (int i = 0; i < kRejectReasons; ++i) {
    const auto reason = static_cast<RejectReason>(i);
    out += std::string("| `") + to_string(reason) + "` | " + reject_meaning(reason) + " |\n";
  }
  return out;
}

}  // namespace driftd::exporters
