#include <gtest/gtest.h>

#include "ingest/plant.h"
#include "ingest/source.h"
#include "tests/ingest/source_harness.h"

namespace driftd::ingest {
namespace {

using Texts = std::vector<std::string>;

Node params(std::vector<std::pair<std::string, std::string>> texts, std::vector<Node> faults = {}) {
  std::vector<std::pair<std::string, Node>> entries;
  for (auto& [key, value] : texts) entries.emplace_back(key, Node::text(value));
  if (!faults.empty()) entries.emplace_back("faults", Node::list(std::move(faults)));
  return Node::map(std::move(entries));
}

Texts records(const Node& node, std::int64_t from = 0) {
  auto source = make_source("generator", node);
  EXPECT_TRUE(source.ok());
  RecordingHandler handler;
  if (from > 0) handler.positions[0] = from;
  EXPECT_TRUE((*source)->open(handler).ok());
  Texts out = drain(**source);
  (*source)->close();
  return out;
}

TEST(GeneratorSource, SameSettingsGiveTheSameRecords) {
  const Node node = params({{"sensors", "3"}, {"speed", "0"}, {"duration", "10s"}});
  const Texts first = records(node);
  ASSERT_EQ(first.size(), 30U);
  EXPECT_EQ(records(node), first);
  EXPECT_NE(records(params({{"sensors", "3"}, {"speed", "0"}, {"duration", "10s"}, {"seed", "2"}})), first);
  EXPECT_EQ(first[4].substr(0, 50), "0/4:{\"sensor_id\":\"pump-01\",\"ts\":1767225601000,\"tem");
}

TEST(GeneratorSource, GoesOnFromAnyPosition) {
  const Node node = params({{"sensors", "3"}, {"speed", "0"}, {"duration", "10s"}});
  const Texts all = records(node);
  for (const std::int64_t from : {1, 3, 17, 29, 30}) {
    EXPECT_EQ(records(node, from), Texts(all.begin() + from, all.end())) << from;
  }
}

TEST(GeneratorSource, KeepsItsPace) {
  auto source = make_source("generator", params({{"sensors", "1"}, {"speed", "100"}}));
  ASSERT_TRUE(source.ok());
  RecordingHandler handler;
  ASSERT_TRUE((*source)->open(handler).ok());
  const Duration begin = monotonic_now();
  EXPECT_EQ(drain(**source, 11).size(), 11U);
  EXPECT_GE(monotonic_now() - begin, 99 * kMillisecond);
  EXPECT_FALSE((*source)->finished());
}

TEST(GeneratorSource, RefusesAPlanThatCannotBe) {
  const auto fault = [](const std::string& kind, const std::string& from, const std::string& to) {
    return Node::map({{"kind", Node::text(kind)}, {"from", Node::text(from)}, {"to", Node::text(to)}});
  };
  EXPECT_TRUE(make_source("generator", params({}, {fault("stuck", "1s", "2s")})).ok());
  EXPECT_FALSE(make_source("generator", params({}, {fault("stuck", "2s", "2s")})).ok());
  EXPECT_FALSE(make_source("generator", params({}, {fault("rust", "1s", "2s")})).ok());
  EXPECT_FALSE(make_source("generator", params({{"start", "today"}})).ok());
  EXPECT_FALSE(make_source("generator", params({{"sensors", "0"}})).ok());
}

// The JSON of pump 1 at each of ten ticks, under one fault of that pump from tick 4 to tick 8.
Texts pump_under(std::optional<PlantFaultKind> kind) {
  PlantOptions options;
  options.sensors = 3;
  if (kind) options.faults = {{*kind, {1}, 4 * kSecond, 8 * kSecond}};
  Plant plant(options);
  std::vector<PlantRecord> out;
  for (int i = 0; i < 10; ++i) plant.tick(out);
  Texts texts;
  for (const PlantRecord& record : out) {
    if (record.sensor == 1) texts.push_back(record.json);
  }
  return texts;
}

TEST(Plant, AFaultChangesItsRecordsOnly) {
  const Texts healthy = pump_under(std::nullopt);
  ASSERT_EQ(healthy.size(), 10U);
  const auto& kinds = plant_fault_kinds();
  for (std::size_t k = 0; k < kinds.size(); ++k) {
    const Texts faulty = pump_under(static_cast<PlantFaultKind>(k));
    if (kinds[k] == "silence") {
      EXPECT_EQ(faulty.size(), 6U);
      continue;
    }
    ASSERT_EQ(faulty.size(), 10U) << kinds[k];
    for (std::size_t i = 0; i < 10; ++i) {
      const bool expected = i >= 4 && i < 8 && !(kinds[k] == "nulls" && i % 2 == 1) && !(kinds[k] == "slow_drift" && i == 4);
      EXPECT_EQ(faulty[i] != healthy[i], expected) << kinds[k] << " at " << i;
    }
  }
}

}  // namespace
}  // namespace driftd::ingest
