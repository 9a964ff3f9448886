// Sensors that come and go: the place of one that fell silent is given to a new one, the same way however
// the records were cut into batches and whenever the partition was saved.
#include "app/engine/partition_engine.h"

#include <malloc.h>

#include "app/config/config.h"
#include "tests/app/engine_fixture.h"

extern "C" std::size_t __sanitizer_get_current_allocated_bytes() __attribute__((weak));

namespace driftd::app {
namespace {

StreamConfig churning(std::uint32_t cap, const std::string& windows, const std::string& checks) {
  ErrorList errors;
  const Config config = read_config("service: {data_dir: d, limits: {sensors: " + std::to_string(cap) +
                                        ", sensor_idle: 2m}}\n"
                                        "streams:\n"
                                        "  s:\n"
                                        "    from: {http: {}}\n"
                                        "    decode: {format: json, sensor: s, time: {field: ts, unit: ms}}\n"
                                        "    fields: {x: number, site: {type: category, role: segment}}\n"
                                        "    windows: " +
                                        windows +
                                        "\n"
                                        "    checks: " +
                                        checks + "\n",
                                    ".", errors);
  EXPECT_TRUE(errors.empty()) << format_errors("test", errors);
  return config.streams.at(0);
}

struct Collect final : OutputSink {
  void take(PartitionOutput output) override {
    for (const Finding& f : output.findings) append_json(findings, f);
    ByteWriter out;
    output.save(out);
    parts += out.bytes();
  }
  std::string findings, parts;
};

struct Outcome {
  std::string findings, parts, state;
  std::uint64_t evicted = 0;
  int rejects = 0;
};

std::string record(int sensor, std::int64_t ms, double x) {
  return "{\"s\":\"sensor-" + std::to_string(sensor) + "\",\"ts\":" + std::to_string(1700000000000 + ms) + ",\"x\":" + std::to_string(x) +
         ",\"site\":\"site" + std::to_string(sensor % 3) + "\"}";
}

Outcome run_all(const StreamConfig& config, const std::vector<std::string>& records, std::size_t batch, bool restarts) {
  const auto plan = make_plan(config, nullptr, true);
  EXPECT_TRUE(plan.ok());
  NoRejects rejects;
  Collect out;
  auto engine = PartitionEngine::make(*plan, 0, rejects).value();
  for (std::size_t from = 0; from < records.size(); from += batch) {
    RawBatch raw;
    for (std::size_t i = from; i < std::min(records.size(), from + batch); ++i) {
      raw.records.emplace_back();
      raw.records.back().payload = records[i];
      raw.records.back().position = static_cast<std::int64_t>(i);
    }
    raw.next_position = static_cast<std::int64_t>(std::min(records.size(), from + batch));
    engine->process(raw, out);
    if (!restarts) continue;
    ByteWriter state;
    engine->save(state);
    engine = PartitionEngine::make(*plan, 0, rejects).value();
    ByteReader in(state.bytes());
    const Status s = engine->load(in);
    EXPECT_TRUE(s.ok()) << s.error().message;
  }
  engine->finish(out);
  ByteWriter state;
  engine->save(state);
  return {out.findings, out.parts, state.take(), engine->counters().evicted, rejects.rejects};
}

constexpr const char* kChecks =
    "[{check: gap, max: 90s}, {check: stuck_value, field: x, min_run: 3}, {check: duplicate}, {check: out_of_order},"
    " {check: rate_of_change, field: x, max: 1}, {check: page_hinkley, field: x, threshold: 5}, {check: mean, field: x, max: 5, "
    "min_samples: 1}]";

// Each sensor speaks for about 3 minutes, then never again; some come back much later.
std::vector<std::string> churn(int n) {
  std::vector<std::string> records;
  for (int i = 0; i < n; ++i) {
    const int generation = i / 400;
    const int sensor = i % 37 == 0 ? i % 5 : generation * 20 + i % 20;
    records.push_back(record(sensor, i * 450 - (i % 13 == 0 ? 3000 : 0), i % 11 == 0 ? 9 : sensor % 4));
  }
  return records;
}

TEST(SensorChurn, IsTheSameInAnyBatchesAndAfterRestarts) {
  for (const char* windows :
       {"{size: 30s, lateness: 2s, by: [stream, site, sensor]}", "{size: 60s, slide: 10s, lateness: 2s, by: [stream, site, sensor]}"}) {
    const StreamConfig config = churning(40, windows, kChecks);
    const auto records = churn(12000);
    const Outcome whole = run_all(config, records, records.size(), false);
    EXPECT_GT(whole.evicted, 300U);
    EXPECT_FALSE(whole.findings.empty());
    for (const std::size_t batch : {std::size_t{1}, std::size_t{7}, std::size_t{1000}}) {
      const Outcome parts = run_all(config, records, batch, batch > 1);
      EXPECT_EQ(parts.evicted, whole.evicted);
      EXPECT_EQ(parts.rejects, whole.rejects);
      EXPECT_TRUE(parts.findings == whole.findings) << "batches of " << batch;
      EXPECT_TRUE(parts.parts == whole.parts) << "batches of " << batch;
      // Panes that windows still need keep their examples in the order in which the checks met them, which is
      // that of batches; tumbling windows leave none.
      EXPECT_TRUE(config.windows.panes() > 1 || parts.state == whole.state) << "batches of " << batch;
    }
  }
}

TEST(SensorChurn, WithRoomForAllNothingIsEvictedAndTheSameIsFound) {
  const char* windows = "{size: 30s, lateness: 2s, by: [sensor]}";
  const char* checks = "[{check: mean, field: x, max: 5, min_samples: 1}, {check: not_null, field: x}]";  // without a memory of sensors
  const auto records = churn(12000);
  // At most 45 are heard within two minutes and a generation.
  const Outcome small = run_all(churning(50, windows, checks), records, 500, false);
  const Outcome large = run_all(churning(100000, windows, checks), records, 500, false);
  EXPECT_GT(small.evicted, 300U);
  EXPECT_EQ(large.evicted, 0U);
  EXPECT_EQ(small.rejects, 0);
  EXPECT_TRUE(small.findings == large.findings);
}

TEST(SensorChurn, SensorsThatSpeakAreNeverEvicted) {
  std::vector<std::string> records;
  for (int i = 0; i < 3000; ++i) {
    records.push_back(record(i % 10, i * 1000, 1));
    if (i > 100) records.push_back(record(1000 + i, i * 1000, 1));
  }
  const Outcome out = run_all(churning(10, "{size: 30s, by: [sensor]}", "[{check: not_null, field: x}]"), records, 100, false);
  EXPECT_EQ(out.evicted, 0U);
  EXPECT_EQ(out.rejects, 2899);
}

// Bytes that are allocated and not freed. Sanitizers keep what was freed, so that neither their resident memory
// nor malloc's own count says it; they have one of their own.
std::size_t allocated() {
  return __sanitizer_get_current_allocated_bytes == nullptr ? mallinfo2().uordblks : __sanitizer_get_current_allocated_bytes();
}

TEST(SensorChurn, AMillionNamesAMinuteStayWithinTheCap) {
#ifdef __SANITIZE_THREAD__
  GTEST_SKIP() << "one thread, and minutes under ThreadSanitizer";
#endif
  const StreamConfig config = churning(10000, "{size: 1s, lateness: 0s, by: [stream, sensor]}",
                                       "[{check: gap, max: 90s}, {check: stuck_value, field: x}, {check: duplicate}]");
  const auto plan = make_plan(config, nullptr, false);
  NoRejects rejects;
  Collect out;
  auto engine = PartitionEngine::make(*plan, 0, rejects).value();
  std::size_t settled = 0;
  int name = 0;
  // A step is 2 s of event time with 1000 new names, 30,000 a minute: what a million a minute are to a cap of
  // 333,000.
  for (int step = 0; step < 300; ++step) {
    std::vector<std::string> payloads;
    RawBatch raw;
    for (int i = 0; i < 1000; ++i) payloads.push_back(record(name++, step * 2000, i));
    for (const std::string& payload : payloads) {
      raw.records.emplace_back();
      raw.records.back().payload = payload;
    }
    engine->process(raw, out);
    out.findings.clear();
    out.parts.clear();
    ASSERT_LE(engine->dictionaries().sensors.live(), 10000U);
    ASSERT_LE(engine->dictionaries().sensors.size(), 2 * 10000U + SensorDictionary::kRestEvictions);
    if (step == 150) settled = allocated();
  }
  EXPECT_GT(engine->counters().evicted, 30000U);
  EXPECT_GT(rejects.rejects, 50000) << "more than the cap speak at once: those are refused and counted";
  EXPECT_LT(allocated(), settled + (4U << 20)) << "memory grows with names that are gone";
}

}  // namespace
}  // namespace driftd::app
