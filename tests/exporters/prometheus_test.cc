#include "exporters/prometheus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "exporters/process_metrics.h"

namespace driftd::exporters {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(PrometheusText, WritesHelpTypeAndSamples) {
  Telemetry telemetry;
  telemetry.series(Metric::kRecords, {"pumps", "accepted"}).add(41);
  telemetry.series(Metric::kRecords, {"pumps", "rejected"});
  telemetry.series(Metric::kWatermark, {"pumps"}).set(1.5e9);
  const std::string text = prometheus_text(telemetry);
  EXPECT_THAT(text, HasSubstr("# HELP driftd_records_total Records by result"));
  EXPECT_THAT(text, HasSubstr("# TYPE driftd_records_total counter\n"));
  EXPECT_THAT(text, HasSubstr("driftd_records_total{stream=\"pumps\",result=\"accepted\"} 41\n"));
  EXPECT_THAT(text, HasSubstr("driftd_records_total{stream=\"pumps\",result=\"rejected\"} 0\n"));
  EXPECT_THAT(text, HasSubstr("driftd_watermark_seconds{stream=\"pumps\"} 1500000000\n"));
  EXPECT_THAT(text, HasSubstr("driftd_series 3\n"));
  EXPECT_THAT(text, Not(HasSubstr("driftd_rejects_total")));
}

TEST(PrometheusText, LeavesOutWhatIsNotKnown) {
  Telemetry telemetry;
  telemetry.series(Metric::kWatermark, {"never-set"});
  telemetry.series(Metric::kCheckValue, {"s", "stream", "f", "nan"}).set(std::nan(""));
  telemetry.series(Metric::kCheckValue, {"s", "stream", "f", "inf"}).set(std::numeric_limits<double>::infinity());
  Series& gone = telemetry.series(Metric::kSensors, {"gone"});
  gone.set(3);
  telemetry.remove(Metric::kSensors, {"gone"});
  std::string text = prometheus_text(telemetry);
  for (const char* word : {"never-set", "NaN", "Nan", "Inf", "driftd_check_value", "gone"}) {
    EXPECT_THAT(text, Not(HasSubstr(word)));
  }
  telemetry.series(Metric::kSensors, {"gone"});
  EXPECT_THAT(prometheus_text(telemetry), Not(HasSubstr("gone")));
  gone.set(1);
  EXPECT_THAT(prometheus_text(telemetry), HasSubstr("driftd_sensors{stream=\"gone\"} 1\n"));
}

TEST(PrometheusText, OverflowHasOneLabel) {
  Telemetry telemetry(1);
  telemetry.series(Metric::kRejects, {"s", "a"}).add(1);
  telemetry.series(Metric::kRejects, {"s", "b"}).add(2);
  telemetry.series(Metric::kRejects, {"s", "c"}).add(3);
  const std::string text = prometheus_text(telemetry);
  EXPECT_THAT(text, HasSubstr("driftd_rejects_total{overflow=\"true\"} 5\n"));
  EXPECT_THAT(text, HasSubstr("driftd_series_dropped_total 2\n"));
}

TEST(LabelValue, KeepsCleanValuesAndCutsOthers) {
  for (const std::string& clean : {std::string(), std::string("a\"\\b \xC3\xA4"), std::string(256, 'x')}) {
    EXPECT_EQ(label_value(clean), clean);
  }
  const std::vector<std::string> dirty = {"\xFF", "\xFE", "a\nb", std::string("a\0b", 3), std::string(257, 'x'), std::string(300, 'x')};
  std::vector<std::string> seen;
  for (const std::string& value : dirty) {
    const std::string label = label_value(value);
    EXPECT_NE(label, value);
    EXPECT_LE(label.size(), 90U);
    EXPECT_THAT(seen, Not(::testing::Contains(label)));
    seen.push_back(label);
  }
}

TEST(ProcessMetrics, ReadsThisProcess) {
  for (const ProcessMetric& metric : process_metrics()) {
    ASSERT_TRUE(metric.value) << metric.name;
    EXPECT_GE(*metric.value, 0) << metric.name;
  }
  const std::string text = prometheus_text(Telemetry());
  EXPECT_THAT(text, HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
  for (const char* name :
       {"process_resident_memory_bytes ", "process_open_fds ", "process_max_fds ", "process_start_time_seconds ", "process_threads "}) {
    EXPECT_THAT(text, HasSubstr("\n" + std::string(name)));
  }
}

TEST(ProcessMetrics, WhatCannotBeReadIsAbsent) {
  for (const ProcessMetric& metric : process_metrics("/nonexistent")) {
    EXPECT_FALSE(metric.value) << metric.name;
  }
}

// Every family with a hostile label, through the checker that Prometheus ships.
TEST(PrometheusText, PromtoolFindsNothingToSay) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "no promtool here";
  Telemetry telemetry;
  for (int i = 0; i < static_cast<int>(Metric::kSeries); ++i) {
    const auto metric = static_cast<Metric>(i);
    telemetry.series(metric, std::vector<std::string>(info(metric).labels.size(), "a\"b\\\n\xFF")).set(1);
  }
  const std::string text = prometheus_text(telemetry);
  FILE* promtool = popen("promtool check metrics 2>&1", "w");
  ASSERT_NE(promtool, nullptr);
  std::fwrite(text.data(), 1, text.size(), promtool);
  const int status = pclose(promtool);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace driftd::exporters
