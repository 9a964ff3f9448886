#include "app/run/stream_metrics.h"

#include "core/alert.h"

namespace driftd::app {

std::string segment_label(const Segment& segment) { return segment.value.empty() ? segment.by : segment.by + "=" + segment.value; }

StreamMetrics::StreamMetrics(Telemetry& telemetry, std::shared_ptr<const StreamPlan> plan)
    : telemetry_(telemetry),
      plan_(std::move(plan)),
      accepted_(telemetry.series(Metric::kRecords, {plan_->config.name, "accepted"})),
      late_(telemetry.series(Metric::kRecords, {plan_->config.name, "late"})),
      duplicate_(telemetry.series(Metric::kRecords, {plan_->config.name, "duplicate"})),
      rejected_(telemetry.series(Metric::kRecords, {plan_->config.name, "rejected"})),
      source_up_(telemetry.series(Metric::kSourceUp, {plan_->config.name, plan_->config.source})) {
  const StreamConfig& config = plan_->config;
  telemetry.remove_if([this](Metric metric, const std::vector<std::string>& labels) { return is_gone(metric, labels); });
  source_up(false);
  for (int i = 0; i < kRejectReasons; ++i) {
    reasons_[static_cast<std::size_t>(i)] = &telemetry.series(Metric::kRejects, {config.name, to_string(static_cast<RejectReason>(i))});
  }
  for (const Metric metric :
       {Metric::kWindows, Metric::kLateRecords, Metric::kSensorsEvicted, Metric::kStreamRestarts, Metric::kQuarantineDropped}) {
    telemetry.series(metric, {config.name});
  }
  for (const Severity severity : {Severity::kInfo, Severity::kWarning, Severity::kCritical}) {
    for (const AlertState state : {AlertState::kPending, AlertState::kFiring}) {
      Series& alerts = telemetry.series(Metric::kAlerts, {config.name, to_string(severity), to_string(state)});
      if (!alerts.known()) alerts.set(0);  // else the hub's
    }
  }
  for (std::size_t c = 0; c < config.checks.size(); ++c) {
    const CheckConfig& check = config.checks[c];
    telemetry.series(Metric::kCheckFailures, {config.name, field_of(check), check.name});
    if (config.quarantine_failed) quarantined_[check.name] = &telemetry.series(Metric::kQuarantineFailed, {config.name, check.name});
    if (!plan_->detectors[c]) continue;
    detectors_.push_back(c);
    detector_states_.push_back(&telemetry.series(Metric::kDetectorState, {config.name, field_of(check), check.name}));
    detector_states_.back()->set(0);
  }
}

std::string StreamMetrics::field_of(const CheckConfig& check) const {
  return check.field < 0 ? "" : plan_->config.schema.fields[static_cast<std::size_t>(check.field)].name;
}

// Does the check judge windows with this label `segment`?
bool StreamMetrics::judges(std::size_t check, const std::string& segment) const {
  for (std::size_t l = 0; l < plan_->judged.size(); ++l) {
    const Level& level = plan_->config.windows.levels[l];
    if (!plan_->judged[l][check]) continue;
    if (level.kind == Level::Kind::kStream && segment == level.by) return true;
    if (level.kind == Level::Kind::kField && segment.rfind(level.by + "=", 0) == 0) return true;
  }
  return false;
}

// Is it a gauge of this stream that the plan has nothing for?
bool StreamMetrics::is_gone(Metric metric, const std::vector<std::string>& labels) const {
  const StreamConfig& config = plan_->config;
  if (labels.empty() || labels[0] != config.name) return false;
  const auto none = [&](const auto& is_it) {
    for (std::size_t c = 0; c < config.checks.size(); ++c) {
      if (is_it(c, config.checks[c])) return false;
    }
    return true;
  };
  switch (metric) {
    case Metric::kCheckVerdict:
    case Metric::kCheckValue:
    case Metric::kCheckThreshold:
    case Metric::kCheckSamples:
      return none([&](std::size_t c, const CheckConfig& check) {
        return labels[2] == field_of(check) && labels[3] == check.name && judges(c, labels[1]);
      });
    case Metric::kDistance:
      return none([&](std::size_t c, const CheckConfig& check) {
        return labels[2] == field_of(check) && check.params.has("metric") && labels[3] == check.params.text("metric") &&
               judges(c, labels[1]);
      });
    case Metric::kDetectorState:
      return none([&](std::size_t c, const CheckConfig& check) {
        return plan_->detectors[c] && labels[1] == field_of(check) && labels[2] == check.name;
      });
    case Metric::kSourceUp:
      return labels[1] != config.source;
    case Metric::kReferenceAge:
      return config.reference.rfind(labels[1] + "@", 0) != 0;
    case Metric::kGateUp:
    case Metric::kGateWaiting:
      return !config.gate;
    case Metric::kSourceLag:  // set anew by what is read from now on
    case Metric::kJournalBytes:
      return true;
    default:
      return false;
  }
}

void StreamMetrics::lags(const std::vector<ingest::PartitionStatus>& partitions) {
  const std::string& name = plan_->config.name;
  std::map<std::uint32_t, Series*> now;
  for (const auto& p : partitions) {
    const auto it = lags_.find(p.partition);
    Series* series = it == lags_.end() ? nullptr : it->second;
    if (p.lag) {
      if (series == nullptr) series = &telemetry_.series(Metric::kSourceLag, {name, std::to_string(p.partition)});
      series->set(static_cast<double>(*p.lag));
    }
    if (series != nullptr) now[p.partition] = series;
  }
  for (const auto& [partition, series] : lags_) {
    if (now.count(partition) == 0) telemetry_.remove(Metric::kSourceLag, {name, std::to_string(partition)});
  }
  lags_ = std::move(now);
}

StreamMetrics::Verdicts& StreamMetrics::verdicts(const Segment& segment, std::size_t check) {
  const auto it = verdicts_.find({segment, check});
  if (it != verdicts_.end()) return it->second;
  const CheckConfig& config = plan_->config.checks[check];
  const std::vector<std::string> labels = {plan_->config.name, segment_label(segment), field_of(config), config.name};
  Verdicts made{&telemetry_.series(Metric::kCheckVerdict, labels), nullptr, nullptr, nullptr, nullptr};
  return verdicts_.emplace(std::pair(segment, check), made).first->second;
}

void StreamMetrics::judged(const stats::Window& window, std::size_t check, const rules::Judgement& judgement) {
  const CheckConfig& config = plan_->config.checks[check];
  Verdicts& series = verdicts(window.segment, check);
  series.verdict->set(static_cast<double>(judgement.verdict));
  const auto labels = [&] {
    return std::vector<std::string>{plan_->config.name, segment_label(window.segment), field_of(config), config.name};
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
