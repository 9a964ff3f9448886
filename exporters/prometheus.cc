#include "exporters/prometheus.h"

#include <prometheus/text_serializer.h>

#include <cmath>
#include <sstream>
#include <vector>

#include "core/hash.h"
#include "core/text.h"
#include "exporters/process_metrics.h"

namespace driftd::exporters {
namespace {

constexpr std::size_t kLabelBytes = 256;
constexpr std::size_t kCutLabelBytes = 64;  // of a value that is not exported as it is

prometheus::MetricFamily family_of(std::string name, MetricType type, std::string help) {
  prometheus::MetricFamily family;
  family.name = std::move(name);
  family.help = std::move(help);
  family.type = type == MetricType::kCounter ? prometheus::MetricType::Counter : prometheus::MetricType::Gauge;
  return family;
}

void add_sample(prometheus::MetricFamily& family, double value, std::vector<prometheus::ClientMetric::Label> labels) {
  if (!std::isfinite(value)) return;
  prometheus::ClientMetric metric;
  metric.label = std::move(labels);
  if (family.type == prometheus::MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  family.metric.push_back(std::move(metric));
}

std::vector<prometheus::ClientMetric::Label> labels_of(const MetricInfo& metric, const Telemetry::Sample& sample) {
  if (sample.overflow) return {{"overflow", "true"}};
  std::vector<prometheus::ClientMetric::Label> labels;
  for (std::size_t i = 0; i < metric.labels.size() && i < sample.label_values.size(); ++i) {
    labels.push_back({metric.labels[i], label_value(sample.label_values[i])});
  }
  return labels;
}

}  // namespace

std::string label_value(std::string_view value) {
  std::string clean = excerpt(value, kLabelBytes);
  if (clean == value) return clean;
  return excerpt(value, kCutLabelBytes) + "~" + hex64(hash64(value));
}

std::string prometheus_text(const Telemetry& telemetry) {
  std::vector<prometheus::MetricFamily> families;
  for (const Telemetry::Family& from : telemetry.snapshot()) {
    const MetricInfo& metric = info(from.metric);
    prometheus::MetricFamily family = family_of(metric.name, metric.type, metric.help);
    for (const Telemetry::Sample& sample : from.samples) {
      add_sample(family, sample.value, labels_of(metric, sample));
    }
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  for (const ProcessMetric& metric : process_metrics()) {
    if (!metric.value) continue;
    prometheus::MetricFamily family = family_of(metric.name, metric.type, metric.help);
    add_sample(family, *metric.value, {});
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, families);
  return out.str();
}

}  // namespace driftd::exporters
