// Records a second through the whole engine, from JSON bytes in memory to closed and judged
// windows, against simdjson alone reading the same six values of the same bytes. One core.
//
//   bench_pipeline [rounds] [only]   only: contenders with this in their name, for a profiler
#include <charconv>
#include <random>
#include <set>

#include <simdjson.h>

#include "bench/bench.h"

namespace driftd::bench {
namespace {

constexpr int kRecords = 400000;
constexpr int kSensors = 100;         // 1 record a second each: 30,000 records in a window
constexpr std::size_t kBatch = 1000;  // records a RawBatch, about what a poll of a source brings
constexpr int kFields = 4;
constexpr const char* kNames[kFields] = {"temperature", "pressure", "vibration", "current"};

constexpr const char* kDecode = R"(streams:
  pumps:
    from: {file: {paths: [none.jsonl], format: json_lines}}
    decode: {format: json, sensor: sensor, time: {field: ts, unit: ms}}
    fields: {temperature: number, pressure: number, vibration: number, current: number}
    windows: {size: 5m, lateness: 10s, by: [stream, sensor]}
)";
// 12 checks, four of them with state for every sensor.
constexpr const char* kChecks = R"(    checks:
      - {check: not_null, field: [temperature, pressure, vibration, current]}
      - {check: in_range, field: temperature, min: -40, max: 125}
      - {check: in_range, field: [pressure, vibration, current], min: 0, max: 50}
      - {check: rate_of_change, field: temperature, max: 1000}
      - {check: spike, field: vibration, z: 100}
      - {check: stuck_value, field: pressure}
      - {check: duplicate}
)";

struct Corpus {
  simdjson::padded_string bytes;
  std::vector<RawBatch> batches;  // views into bytes
  std::vector<std::string_view> records;
  double sum = 0;                                      // of all field values
  std::uint64_t hot = 0;                               // temperatures above 125
  std::set<std::pair<std::int64_t, int>> hot_windows;  // window number, sensor
};

Corpus make_corpus() {
  Corpus c;
  std::mt19937_64 random(7);
  std::normal_distribution<double> noise;
  std::string text;
  std::vector<std::size_t> ends;
  const std::int64_t start = 1767225600000;  // 2026-01-01, the start of a window
  for (int i = 0; i < kRecords; ++i) {
    const int sensor = i % kSensors;
    const std::int64_t ts = start + i / kSensors * 1000LL + sensor * 3;
    double v[kFields] = {60 + 5 * noise(random), 4 + 0.2 * noise(random), 1 + 0.1 * noise(random), 12 + noise(random)};
    if (random() % 2000 == 0) v[0] += 100;
    char line[256];
    int size = std::snprintf(line, sizeof line, R"({"sensor":"pump-%03d","ts":%lld)", sensor, static_cast<long long>(ts));
    for (int f = 0; f < kFields; ++f) {
      char number[32];
      std::snprintf(number, sizeof number, "%.4f", v[f]);
      v[f] = std::strtod(number, nullptr);
      size += std::snprintf(line + size, sizeof line - static_cast<std::size_t>(size), R"(,"%s":%s)", kNames[f], number);
      c.sum += v[f];
    }
    text.append(line, static_cast<std::size_t>(size));
    text += "}\n";
    ends.push_back(text.size() - 1);
    if (v[0] > 125) {
      ++c.hot;
      c.hot_windows.insert({(ts - start) / 300000, sensor});
    }
  }
  c.bytes = simdjson::padded_string(text);
  std::size_t begin = 0;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (i % kBatch == 0) c.batches.emplace_back();
    const std::string_view payload(c.bytes.data() + begin, ends[i] - begin);
    c.records.push_back(payload);
    RawRecord record;
    record.payload = payload;
    record.position = static_cast<std::int64_t>(i);
    c.batches.back().records.push_back(record);
    c.batches.back().next_position = static_cast<std::int64_t>(i) + 1;
    begin = ends[i] + 1;
  }
  return c;
}

// What simdjson reads, so that the reading cannot be left out.
struct Read {
  double sum = 0;
  std::uint64_t sensors = 0, times = 0;
  bool operator==(const Read&) const = default;
};

bool take(simdjson::ondemand::object object, Read& read) {
  std::string_view sensor;
  std::uint64_t ts = 0;
  if (object["sensor"].get_string().get(sensor) || object["ts"].get_uint64().get(ts)) return false;
  read.sensors += sensor.size();
  read.times ^= ts;
  for (const char* name : kNames) {
    double v = 0;
    if (object[name].get_double().get(v)) return false;
    read.sum += v;
  }
  return true;
}

// One document a record, as records come from a broker.
Read simdjson_records(const Corpus& c, simdjson::ondemand::parser& parser) {
  Read read;
  const char* end = c.bytes.data() + c.bytes.size() + simdjson::SIMDJSON_PADDING;
  for (const std::string_view r : c.records) {
    simdjson::ondemand::document document;
    simdjson::ondemand::object object;
    const auto room = static_cast<std::size_t>(end - r.data());
    if (parser.iterate(r.data(), r.size(), room).get(document) || document.get_object().get(object) || !take(object, read)) {
      require(false, "simdjson refused a record");
    }
  }
  return read;
}

// All records as one stream of documents, which the parser may index in large pieces: no source
// hands records over like that, but nothing reads them faster.
Read simdjson_stream(const Corpus& c, simdjson::ondemand::parser& parser) {
  Read read;
  simdjson::ondemand::document_stream documents;
  require(!parser.iterate_many(c.bytes).get(documents), "simdjson refused the stream");
  for (auto document : documents) {
    simdjson::ondemand::object object;
    if (document.get_object().get(object) || !take(object, read)) require(false, "simdjson");
  }
  return read;
}

void drain(const Corpus& c, Run& run) {
  for (const RawBatch& batch : c.batches) require(run.engine->process(batch).ok(), "process");
  run.engine->finish();
}

// What the engine says must be what the corpus was made of.
void check_engine(const Corpus& c, const Run& run) {
  const app::PartitionCounters counted = run.engine->counters();
  require(counted.accepted == kRecords && counted.late == 0, "every record is accepted, none late");
  require(run.rejects.rejects == 0, "none rejected");
  require(run.windows == (kRecords / kSensors + 299) / 300, "windows of the stream");
  double hot = 0;
  std::size_t sensor_windows = 0;
  for (const Finding& f : run.findings) {
    if (f.check != "in_range") continue;
    if (f.segment.by == "sensor") ++sensor_windows;
    if (f.segment.by == "stream") hot += *f.detail[0].number;
  }
  require_near(hot, static_cast<double>(c.hot), "temperatures out of range");
  require(sensor_windows == c.hot_windows.size(), "sensors' windows with one");
}

// The sum of all values, from the means and counts of the windows.
void check_sums(const Corpus& c, const std::shared_ptr<const app::StreamPlan>& plan) {
  Run run(plan);
  double sum = 0;
  run.engine->set_window_tap([&](const stats::Window& w) {
    for (const auto& f : w.fields) sum += f.moments.mean * static_cast<double>(f.moments.n);
  });
  drain(c, run);
  require_near(sum, c.sum, "sum of the windows' values");
}

int main(int rounds, const std::string& only) {
  const Corpus corpus = make_corpus();
  const auto plan = plan_of(read_stream(std::string(kDecode) + kChecks));
  const auto bare_plan = plan_of(read_stream(kDecode));
  require(plan->config.checks.size() == 12, "12 checks");
  check_sums(corpus, plan);
  simdjson::ondemand::parser parser;
  const Read expected = simdjson_records(corpus, parser);
  require_near(expected.sum, corpus.sum, "sum of simdjson's values");
  require_near(simdjson_stream(corpus, parser).sum, corpus.sum, "sum of simdjson's stream");

  const auto alone = [&](auto read) {
    return [&, read] {
      Read found;
      const double s = seconds_of([&] { found = read(corpus, parser); });
      require(found == expected, "simdjson's values");
      return s;
    };
  };
  const auto engine = [&](const std::shared_ptr<const app::StreamPlan>& p) {
    return [&, p] {
      Run run(p);
      const double s = seconds_of([&] { drain(corpus, run); });
      if (p == plan) check_engine(corpus, run);
      return s;
    };
  };
  const auto decode_only = [&] {
    const auto* unit = ingest::decoders().find("json");
    const auto& config = plan->config;
    auto decoder = unit->make(config.decoder_params, config.decode, config.schema);
    require(decoder.ok(), "no decoder");
    Dictionaries dictionaries(kFields);
    CountRejects rejects;
    Batch batch;
    std::uint64_t rows = 0;
    const double s = seconds_of([&] {
      for (const RawBatch& raw : corpus.batches) {
        batch.reset(config.schema, 0);
        BatchBuilder builder(batch, config.schema, dictionaries);
        (*decoder)->decode(raw, builder, rejects);
        rows += batch.rows();
      }
    });
    require(rows == kRecords && rejects.rejects == 0, "decoded rows");
    return s;
  };
  std::vector<Contender> all = {{"simdjson alone, a document a record", alone(simdjson_records)},
                                {"simdjson alone, a stream of documents", alone(simdjson_stream)},
                                {"driftd: decode only", decode_only},
                                {"driftd: decode and windows", engine(bare_plan)},
                                {"driftd: decode, windows, 12 checks", engine(plan)}};
  if (!only.empty()) std::erase_if(all, [&](const Contender& c) { return c.name.find(only) == std::string::npos; });
  require(!all.empty(), "no such contender");
  run_in_turn(all, rounds);
  std::printf("%d records, %.1f bytes each, %d sensors, windows of 5m by [stream, sensor]\n", kRecords,
              static_cast<double>(corpus.bytes.size()) / kRecords, kSensors);
  std::printf("%-40s %12s %10s %22s\n", "", "M records/s", "ns/record", "x simdjson (a record)");
  for (const Contender& c : all) {
    std::printf("%-40s %12.2f %10.1f %22.3f\n", c.name.c_str(), kRecords / c.best() / 1e6, c.best() / kRecords * 1e9,
                median_ratio(c, all[0]));
  }
  return 0;
}

}  // namespace
}  // namespace driftd::bench

int main(int argc, char** argv) { return driftd::bench::main(argc > 1 ? std::max(1, std::atoi(argv[1])) : 15, argc > 2 ? argv[2] : ""); }
