#include "exporters/metrics_doc.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

#include "core/telemetry.h"

namespace driftd::exporters {
namespace {

TEST(MetricsDoc, HasEveryMetricOnce) {
  const std::string doc = metrics_doc();
  std::set<std::string> names;
  for (int i = 0; i < static_cast<int>(Metric::kCount); ++i) {
    const MetricInfo& metric = info(static_cast<Metric>(i));
    EXPECT_TRUE(names.insert(metric.name).second) << metric.name << " is listed twice";
    const std::string cell = "| `" + metric.name + "` | ";
    const std::size_t at = doc.find(cell);
    ASSERT_NE(at, std::string::npos) << metric.name;
    EXPECT_EQ(doc.find(cell, at + 1), std::string::npos) << metric.name;
    EXPECT_THAT(doc, ::testing::HasSubstr(metric.help));
    EXPECT_EQ(metric.name.ends_with("_total"), metric.type == MetricType::kCounter) << metric.name;
    EXPECT_EQ(metric.help.find('\n'), std::string::npos) << metric.name;
    EXPECT_EQ(metric.help.find('|'), std::string::npos) << metric.name;
  }
  EXPECT_THAT(doc, ::testing::HasSubstr("| `driftd_records_total` | counter | `stream`, `result` | "));
  EXPECT_THAT(doc, ::testing::HasSubstr("| `process_max_fds` | gauge |  | "));
  EXPECT_EQ(doc, metrics_doc());
}

}  // namespace
}  // namespace driftd::exporters
