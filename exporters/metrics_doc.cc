#include "exporters/metrics_doc.h"

#include "core/telemetry.h"
#include "core/text.h"

namespace driftd::exporters {

std::string metrics_doc() {
  std::string out =
      "# Metrics\n\nMade by `driftd describe metrics` from `core/telemetry.def`; do not edit. A test fails when this page is "
      "stale.\n\nServed at `/metrics`. Labels are bounded: `segment` is `stream` or `field=value`, never a sensor. Over "
      "`service.limits.series` the values of a family go to one series with `overflow=\"true\"`. The usual `process_*` "
      "metrics come too.\n\n| metric | type | labels | meaning |\n|---|---|---|---|\n";
  for (int i = 0; i < static_cast<int>(Metric::kCount); ++i) {
    const MetricInfo& m = info(static_cast<Metric>(i));
    out += "| `" + m.name + "` | " + (m.type == MetricType::kCounter ? "counter" : "gauge") + " | " + join(m.labels) + " | " + m.help + " |\n";
  }
  return out;
}

}  // namespace driftd::exporters
