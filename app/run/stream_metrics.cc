#include "app/run/stream_metrics.h"

namespace driftd::app {

std::string segment_label(const Segment& segment) {
  return segment.value.empty() ? segment.by : segment.by + "=" + segment.value;
}

StreamMetrics::StreamMetrics(Telemetry& telemetry, std::shared_ptr<const StreamPlan> plan)
    : telemetry_(telemetry),
      plan_(std::move(plan)),
      accepted_(telemetry.series(Metric::kRecords, {plan_->config.name, "accepted"})),
      late_(telemetry.series(Metric::kRecords, {plan_->config.name, "late"})),
      duplicate_(telemetry.series(Metric::kRecords, {plan_->config.name, "duplicate"})),
      rejected_(telemetry.series(Metric::kRecords, {plan_->config.name, "rejected"})) {
  for (int i = 0; i < kRejectReasons; ++i) {
    reasons_[static_cast<std::size_t>(i)] =
        &telemetry.series(Metric::kRejects, {plan_->config.name, to_string(static_cast<RejectReason>(i))});
  }
}

StreamMetrics::Verdicts& StreamMetrics::verdicts(const Segment& segment, std::size_t check) {
  const auto it = verdicts_.find({segment, check});
  if (it != verdicts_.end()) return it->second;
  const CheckConfig& config = plan_->config.checks[check];
  const std::string field =
      config.field < 0 ? "" : plan_->config.schema.fields[static_cast<std::size_t>(config.field)].name;
  const std::vector<std::string> labels = {plan_->config.name, segment_label(segment), field, config.name};
  Verdicts made{&telemetry_.series(Metric::kCheckVerdict, labels), nullptr, nullptr, nullptr, nullptr};
  return verdicts_.emplace(std::pair(segment, check), made).first->second;
}

void StreamMetrics::judged(const stats::Window& window, std::size_t check, const rules::Judgement& judgement) {
  const CheckConfig& config = plan_->config.checks[check];
  Verdicts& series = verdicts(window.segment, check);
  series.verdict->set(static_cast<double>(judgement.verdict));
  const auto labels = [&] {
    const std::string field =
        config.field < 0 ? "" : plan_->config.schema.fields[static_cast<std::size_t>(config.field)].name;
    return std::vector<std::string>{plan_->config.name, segment_label(window.segment), field, config.name};
  };
  const auto set = [&](Series*& slot, Metric metric, double v) {
    if (slot == nullptr) slot = &telemetry_.series(metric, labels());
    slot->set(v);
  };
  if (judgement.value) set(series.value, Metric::kCheckValue, *judgement.value);
  if (judgement.threshold) set(series.threshold, Metric::kCheckThreshold, *judgement.threshold);
  if (judgement.n) set(series.samples, Metric::kCheckSamples, static_cast<double>(*judgement.n));
  if (judgement.value && config.params.has("metric")) {
    if (series.distance == nullptr) {
      std::vector<std::string> l = labels();
      l[3] = config.params.text("metric");
      series.distance = &telemetry_.series(Metric::kDistance, l);
    }
    series.distance->set(*judgement.value);
  }
}

void StreamMetrics::found(const std::vector<Finding>& findings) {
  for (const Finding& f : findings) {
    if (f.verdict == Verdict::kFail) telemetry_.series(Metric::kCheckFailures, {f.stream, f.field, f.check}).add();
  }
}

}  // namespace driftd::app
