#include "app/run/stream_metrics.h"

#include <gtest/gtest.h>

#include "app/config/config.h"

namespace driftd::app {
namespace {

constexpr const char* kChecks = R"(
      - {check: in_range, field: x, min: 0}
      - {check: in_range, field: y, min: 0}
      - {check: count, min: 1}
      - {check: page_hinkley, field: x})";

std::shared_ptr<const StreamPlan> plan_of(const std::string& checks, const std::string& by = "stream, site",
                                          const std::string& from = "http: {}", const std::string& name = "s") {
  const std::string yaml = "streams:\n  " + name + ":\n    from: {" + from + "}\n" + R"(
    decode: {sensor: id, time: {field: ts, unit: s}}
    fields:
      x: number
      y: number
      site: {type: category, role: segment}
    windows: {size: 1m, by: [)" +
                           by + "]}\n    checks:" + checks + "\n";
  ErrorList errors;
  const Config config = read_config(yaml, "", errors);
  EXPECT_TRUE(errors.empty()) << format_errors("c.yaml", errors);
  auto plan = make_plan(config.streams.at(0), nullptr, false);
  EXPECT_TRUE(plan.ok());
  return *plan;
}

// Of a series; nullopt: it is not exported.
std::optional<double> value(const Telemetry& telemetry, Metric metric, const std::vector<std::string>& labels) {
  for (const auto& family : telemetry.snapshot()) {
    if (family.metric != metric) continue;
    for (const auto& sample : family.samples) {
      if (sample.label_values == labels) return sample.value;
    }
  }
  return std::nullopt;
}

void judged(StreamMetrics& metrics, std::size_t check, Segment segment, rules::Judgement judgement) {
  stats::Window window;
  window.segment = std::move(segment);
  metrics.judged(window, check, judgement);
}

rules::Judgement failed(double v, double threshold) {
  rules::Judgement j;
  j.verdict = Verdict::kFail;
  j.value = v;
  j.threshold = threshold;
  j.n = 12;
  return j;
}

TEST(StreamMetrics, WhatIsKnownBeforehandIsThereFromTheStart) {
  Telemetry telemetry;
  const StreamMetrics metrics(telemetry, plan_of(kChecks));
  for (const Metric m :
       {Metric::kWindows, Metric::kLateRecords, Metric::kSensorsEvicted, Metric::kStreamRestarts, Metric::kQuarantineDropped}) {
    EXPECT_EQ(value(telemetry, m, {"s"}), 0) << info(m).name;
  }
  for (const char* result : {"accepted", "late", "duplicate", "rejected"}) EXPECT_EQ(value(telemetry, Metric::kRecords, {"s", result}), 0);
  for (const char* severity : {"info", "warning", "critical"}) {
    EXPECT_EQ(value(telemetry, Metric::kAlerts, {"s", severity, "pending"}), 0);
    EXPECT_EQ(value(telemetry, Metric::kAlerts, {"s", severity, "firing"}), 0);
  }
  EXPECT_EQ(value(telemetry, Metric::kCheckFailures, {"s", "x", "in_range"}), 0);
  EXPECT_EQ(value(telemetry, Metric::kCheckFailures, {"s", "y", "in_range"}), 0);
  EXPECT_EQ(value(telemetry, Metric::kCheckFailures, {"s", "", "count"}), 0);
  EXPECT_EQ(value(telemetry, Metric::kCheckFailures, {"s", "x", "page_hinkley"}), 0);
  EXPECT_EQ(value(telemetry, Metric::kDetectorState, {"s", "x", "page_hinkley"}), 0);
  EXPECT_EQ(value(telemetry, Metric::kDetectorState, {"s", "x", "in_range"}), std::nullopt);
  EXPECT_EQ(value(telemetry, Metric::kSourceUp, {"s", "http"}), 0);
}

TEST(StreamMetrics, AlertsOfTheHubAreLeftAlone) {
  Telemetry telemetry;
  telemetry.series(Metric::kAlerts, {"s", "critical", "firing"}).set(3);
  const StreamMetrics metrics(telemetry, plan_of(kChecks));
  EXPECT_EQ(value(telemetry, Metric::kAlerts, {"s", "critical", "firing"}), 3);
}

TEST(StreamMetrics, AJudgementIsAVerdictAndItsNumbers) {
  Telemetry telemetry;
  StreamMetrics metrics(telemetry, plan_of(kChecks));
  judged(metrics, 0, {"site", "north"}, failed(0.5, 0.1));
  const std::vector<std::string> labels = {"s", "site=north", "x", "in_range"};
  EXPECT_EQ(value(telemetry, Metric::kCheckVerdict, labels), 2);
  EXPECT_EQ(value(telemetry, Metric::kCheckValue, labels), 0.5);
  EXPECT_EQ(value(telemetry, Metric::kCheckThreshold, labels), 0.1);
  EXPECT_EQ(value(telemetry, Metric::kCheckSamples, labels), 12);
  judged(metrics, 0, {"site", "north"}, rules::Judgement::none("too_few_samples", 0));
  EXPECT_EQ(value(telemetry, Metric::kCheckVerdict, labels), 3);
  EXPECT_EQ(value(telemetry, Metric::kCheckSamples, labels), 0);
  judged(metrics, 2, {}, failed(1, 2));
  EXPECT_EQ(value(telemetry, Metric::kCheckVerdict, {"s", "stream", "", "count"}), 2);
}

TEST(StreamMetrics, FailuresAreCounted) {
  Telemetry telemetry;
  StreamMetrics metrics(telemetry, plan_of(kChecks));
  Finding f;
  f.stream = "s";
  f.field = "x";
  f.check = "in_range";
  std::vector<Finding> findings;
  for (const Verdict v : {Verdict::kOk, Verdict::kWarn, Verdict::kFail, Verdict::kNoVerdict, Verdict::kFail}) {
    f.verdict = v;
    findings.push_back(f);
  }
  metrics.found(findings);
  EXPECT_EQ(value(telemetry, Metric::kCheckFailures, {"s", "x", "in_range"}), 2);
}

TEST(StreamMetrics, ADistanceHasASeriesOfItsMetric) {
  Telemetry telemetry;
  StreamMetrics metrics(telemetry, plan_of("\n      - {check: distance, field: x, metric: psi, max: 0.2}"));
  judged(metrics, 0, {}, failed(0.7, 0.2));
  EXPECT_EQ(value(telemetry, Metric::kDistance, {"s", "stream", "x", "psi"}), 0.7);
  const StreamMetrics other(telemetry, plan_of("\n      - {check: distance, field: x, metric: ks, max: 0.2}"));
  EXPECT_EQ(value(telemetry, Metric::kDistance, {"s", "stream", "x", "psi"}), std::nullopt);
}

TEST(StreamMetrics, DetectorsAreKnownByTheirChecks) {
  Telemetry telemetry;
  StreamMetrics metrics(telemetry, plan_of(kChecks));
  ASSERT_EQ(metrics.detectors(), std::vector<std::size_t>{3});
  metrics.detector(0, Verdict::kFail);
  EXPECT_EQ(value(telemetry, Metric::kDetectorState, {"s", "x", "page_hinkley"}), 2);
}

TEST(StreamMetrics, GaugesOfWhatANewPlanDoesNotHaveEnd) {
  Telemetry telemetry;
  {
    StreamMetrics before(telemetry, plan_of(kChecks));
    for (const Segment& segment : {Segment{"stream", ""}, Segment{"site", "north"}}) {
      judged(before, 0, segment, failed(1, 0));
      judged(before, 1, segment, failed(1, 0));
    }
    before.accepted().add(5);
    before.lags({{0, 7}});
    telemetry.series(Metric::kGateUp, {"s"}).set(0);
    telemetry.series(Metric::kWatermark, {"s"}).set(9);
    telemetry.series(Metric::kCheckVerdict, {"other", "stream", "y", "in_range"}).set(2);
  }
  StreamMetrics after(
      telemetry, plan_of("\n      - {check: in_range, field: x, min: 0}", "stream", "mqtt: {url: mqtt://b, client_id: c, topics: [t]}"));
  EXPECT_EQ(value(telemetry, Metric::kCheckVerdict, {"s", "stream", "x", "in_range"}), 2) << "it is still there";
  EXPECT_EQ(value(telemetry, Metric::kCheckVerdict, {"s", "stream", "y", "in_range"}), std::nullopt) << "the field's check is gone";
  EXPECT_EQ(value(telemetry, Metric::kCheckValue, {"s", "stream", "y", "in_range"}), std::nullopt);
  EXPECT_EQ(value(telemetry, Metric::kCheckVerdict, {"s", "site=north", "x", "in_range"}), std::nullopt) << "the segment is gone";
  EXPECT_EQ(value(telemetry, Metric::kDetectorState, {"s", "x", "page_hinkley"}), std::nullopt);
  EXPECT_EQ(value(telemetry, Metric::kSourceUp, {"s", "http"}), std::nullopt);
  EXPECT_EQ(value(telemetry, Metric::kSourceUp, {"s", "mqtt"}), 0);
  EXPECT_EQ(value(telemetry, Metric::kSourceLag, {"s", "0"}), std::nullopt);
  EXPECT_EQ(value(telemetry, Metric::kGateUp, {"s"}), std::nullopt);
  EXPECT_EQ(value(telemetry, Metric::kWatermark, {"s"}), 9);
  EXPECT_EQ(value(telemetry, Metric::kRecords, {"s", "accepted"}), 5) << "counters go on";
  EXPECT_EQ(value(telemetry, Metric::kCheckVerdict, {"other", "stream", "y", "in_range"}), 2) << "another stream's";
}

TEST(StreamMetrics, TheLagOfAPartitionEndsWithIt) {
  Telemetry telemetry;
  StreamMetrics metrics(telemetry, plan_of(kChecks));
  metrics.lags({{0, std::nullopt}, {1, 5}});
  EXPECT_EQ(value(telemetry, Metric::kSourceLag, {"s", "0"}), std::nullopt) << "not known yet";
  EXPECT_EQ(value(telemetry, Metric::kSourceLag, {"s", "1"}), 5);
  metrics.lags({{0, 3}, {1, std::nullopt}});
  EXPECT_EQ(value(telemetry, Metric::kSourceLag, {"s", "1"}), 5) << "still ours: the newest that is known";
  metrics.lags({{0, 4}});
  EXPECT_EQ(value(telemetry, Metric::kSourceLag, {"s", "0"}), 4);
  EXPECT_EQ(value(telemetry, Metric::kSourceLag, {"s", "1"}), std::nullopt);
  metrics.lags({{1, 2}});
  EXPECT_EQ(value(telemetry, Metric::kSourceLag, {"s", "1"}), 2) << "it came back";
  metrics.lags({});
  EXPECT_EQ(value(telemetry, Metric::kSourceLag, {"s", "1"}), std::nullopt);
}

TEST(StreamMetrics, FixedSeriesComeBeforeFreeForms) {
  std::size_t fixed = 0;
  {
    Telemetry telemetry;
    const StreamMetrics metrics(telemetry, plan_of(kChecks));
    fixed = telemetry.size();
  }
  Telemetry telemetry(fixed);
  StreamMetrics metrics(telemetry, plan_of(kChecks));
  judged(metrics, 0, {}, failed(1, 0));
  EXPECT_EQ(value(telemetry, Metric::kCheckVerdict, {"s", "stream", "x", "in_range"}), std::nullopt) << "beyond the limit";
  Finding f;
  f.stream = "s";
  f.field = "x";
  f.check = "in_range";
  f.verdict = Verdict::kFail;
  metrics.found({f});
  EXPECT_EQ(value(telemetry, Metric::kCheckFailures, {"s", "x", "in_range"}), 1);
}

}  // namespace
}  // namespace driftd::app
