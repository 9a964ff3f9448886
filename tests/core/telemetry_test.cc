#include "core/telemetry.h"

#include <gtest/gtest.h>

#include <set>

namespace driftd {
namespace {

std::set<std::string> names(const Telemetry& telemetry) {
  std::set<std::string> out;
  for (const auto& family : telemetry.snapshot()) {
    for (const auto& sample : family.samples) {
      std::string name = info(family.metric).name;
      for (const std::string& value : sample.label_values) name += " " + value;
      out.insert(name);
    }
  }
  return out;
}

TEST(Telemetry, AStreamThatIsGoneTakesEverySeriesOfIt) {
  Telemetry telemetry;
  for (int i = 0; i < static_cast<int>(Metric::kSeries); ++i) {
    const auto metric = static_cast<Metric>(i);
    for (const char* stream : {"gone", "stays"}) {
      std::vector<std::string> values;
      for (const std::string& label : info(metric).labels) values.push_back(label == "stream" ? stream : "x");
      telemetry.series(metric, values).set(1);
    }
  }
  // Another label that happens to have the stream's name.
  telemetry.series(Metric::kCheckVerdict, {"stays", "stream", "gone", "gone"}).set(2);
  telemetry.series(Metric::kNotifications, {"gone", "retry"});
  const std::size_t before = telemetry.size();
  const std::set<std::string> all = names(telemetry);
  telemetry.remove_stream("gone");
  std::set<std::string> expected;
  std::size_t removed = 0;
  for (const std::string& name : all) {
    const std::string first = name.substr(0, name.find(' '));
    bool of_stream = false;
    for (int i = 0; i < static_cast<int>(Metric::kCount); ++i) {
      const MetricInfo& metric = info(static_cast<Metric>(i));
      if (metric.name == first) of_stream = !metric.labels.empty() && metric.labels[0] == "stream";
    }
    if (of_stream && name.rfind(first + " gone", 0) == 0) {
      ++removed;
    } else {
      expected.insert(name);
    }
  }
  EXPECT_GT(removed, 20U);
  EXPECT_EQ(names(telemetry), expected);
  EXPECT_EQ(telemetry.size(), before - removed) << "their room is free again";
}

TEST(Telemetry, AStreamThatComesBackCountsFromZero) {
  Telemetry telemetry(1);
  telemetry.series(Metric::kWindows, {"s"}).add(7);
  telemetry.remove_stream("s");
  EXPECT_EQ(telemetry.size(), 0U);
  telemetry.remove_stream("s");
  EXPECT_EQ(telemetry.size(), 0U) << "twice is once";
  Series& again = telemetry.series(Metric::kWindows, {"s"});
  EXPECT_EQ(again.value(), 0);
  EXPECT_EQ(telemetry.size(), 1U);
  EXPECT_EQ(names(telemetry).count("driftd_windows_total s"), 1U);
}

TEST(Telemetry, RemoveIfTakesWhatItIsTold) {
  Telemetry telemetry;
  telemetry.series(Metric::kSourceLag, {"s", "0"}).set(1);
  telemetry.series(Metric::kSourceLag, {"s", "1"}).set(1);
  telemetry.series(Metric::kWindows, {"s"});
  telemetry.remove_if(
      [](Metric metric, const std::vector<std::string>& values) { return metric == Metric::kSourceLag && values[1] == "1"; });
  EXPECT_EQ(names(telemetry).count("driftd_source_lag s 0"), 1U);
  EXPECT_EQ(names(telemetry).count("driftd_source_lag s 1"), 0U);
  EXPECT_EQ(telemetry.size(), 2U);
}

// Beyond the cap: counters add up, a gauge has the value set last (docs/METRICS.md).
TEST(Telemetry, OverflowAddsCountersAndKeepsTheNewestOfGauges) {
  Telemetry telemetry(0);
  telemetry.series(Metric::kWindows, {"a"}).add(2);
  telemetry.series(Metric::kWindows, {"b"}).add(3);
  telemetry.series(Metric::kWatermark, {"a"}).set(2);
  telemetry.series(Metric::kWatermark, {"b"}).set(3);
  std::map<Metric, double> values;
  for (const auto& family : telemetry.snapshot()) {
    values[family.metric] = family.samples.at(0).value;
  }
  EXPECT_EQ(values[Metric::kWindows], 5);
  EXPECT_EQ(values[Metric::kWatermark], 3);
  EXPECT_EQ(values[Metric::kSeriesDropped], 4);
}

// As their help texts say.
TEST(Telemetry, TheMetricsOfSeriesCountWhatTheyCallThemselves) {
  Telemetry telemetry(2);
  telemetry.series(Metric::kWindows, {"a"});
  telemetry.series(Metric::kWatermark, {"never-set"});
  for (int i = 0; i < 3; ++i) telemetry.series(Metric::kWindows, {"over"});
  std::map<Metric, double> values;
  for (const auto& family : telemetry.snapshot()) values[family.metric] = family.samples.at(0).value;
  EXPECT_EQ(values[Metric::kSeries], 2) << "without overflow, with gauges that are not set";
  EXPECT_EQ(values[Metric::kSeriesDropped], 3) << "for the same labels again";
  const std::string& series = info(Metric::kSeries).help;
  for (const char* word : {"overflow", "process", "wait for their first value"}) EXPECT_NE(series.find(word), std::string::npos) << word;
  EXPECT_NE(info(Metric::kSeriesDropped).help.find("again each time"), std::string::npos);
}

}  // namespace
}  // namespace driftd
