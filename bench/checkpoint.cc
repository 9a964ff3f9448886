// What checkpoints cost a running driftd with 100,000 sensors of 4 numeric fields, and how soon it is ready
// again after a restart with their state.
//
//   bench_checkpoint [sensors] [rounds] [memory]
//
// `memory` adds checks that remember something of every sensor and a detector for each.
//
// A whole Service has two streams that read a file each: in turn with a checkpoint every second (and so with ten
// times as many as by default) and with none. The difference, divided by the number of checkpoints, is what
// one costs in time in which nothing is judged: waiting for the workers, saving, storing, and what else the
// disk then holds up. Restarts: from start() until /-/ready would say yes.
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <thread>

#include "app/run/service.h"
#include "app/run/sqlite_store.h"
#include "bench/bench.h"
#include "core/log.h"

namespace driftd::bench {
namespace {

namespace fs = std::filesystem;

constexpr int kReadings = 80;  // of each sensor
constexpr std::uint32_t kFiles = 2;
constexpr const char* kWithMemory =
    "      - {check: rate_of_change, field: temperature, max: 1000000}\n"
    "      - {check: spike, field: vibration, z: 100}\n"
    "      - {check: stuck_value, field: pressure, min_run: 20}\n"
    "      - {check: duplicate}\n"
    "      - {check: page_hinkley, field: vibration, by: [sensor]}\n";
constexpr double kEvery = 10;  // seconds: service.checkpoint_every by default

struct Load {
  std::string folder;
  std::uint32_t sensors;
  bool memory;

  // Readings of all sensors, 3 s of event time apart, so that their windows stay open.
  void write() const {
    for (std::uint32_t f = 0; f < kFiles; ++f) {
      std::ofstream out(folder + "/" + std::to_string(f) + ".jsonl");
      char line[200];
      for (int reading = 0; reading < kReadings; ++reading) {
        for (std::uint32_t s = f; s < sensors; s += kFiles) {
          const std::int64_t ts = 1767225600000 + reading * 3000LL + s * 2500LL / sensors;
          const int size = std::snprintf(
              line, sizeof line,
              R"({"sensor":"plant-7/pump-%06u","ts":%lld,"temperature":60.5,"pressure":4.%u,"vibration":0.%u,"current":12.25})"
              "\n",
              s, static_cast<long long>(ts), s % 97, s % 89);
          out.write(line, size);
        }
      }
    }
  }
  std::uint64_t records() const { return std::uint64_t{sensors} * kReadings; }

  app::Config config(const std::string& data_dir, const std::string& every) const {
    std::string yaml =
        "service: {listen: 127.0.0.1:0, log_level: error, data_dir: " + data_dir + ", checkpoint_every: " + every + "}\nstreams:\n";
    for (std::uint32_t f = 0; f < kFiles; ++f) {
      yaml += "  pumps" + std::to_string(f) + ":\n    from: {file: {paths: [" + folder + "/" + std::to_string(f) +
              ".jsonl], format: json_lines}}\n"
              "    decode: {format: json, sensor: sensor, time: {field: ts, unit: ms}}\n"
              "    fields: {temperature: number, pressure: number, vibration: number, current: number}\n"
              "    windows: {size: 5m, lateness: 1h, idle: 1h, by: [stream, sensor]}\n"
              "    checks:\n"
              "      - {check: in_range, field: [temperature, pressure, vibration, current], min: -50, max: 150}\n"
              "      - {check: not_null, field: [temperature, pressure, vibration, current]}\n";
      if (memory) yaml += kWithMemory;
    }
    ErrorList errors;
    app::Config config = app::read_config(yaml, "", errors);
    require(errors.empty(), app::format_errors("bench.yaml", errors));
    return config;
  }
};

// Records judged by all streams, also of a service that has ended.
std::uint64_t accepted(app::Service& service) {
  double sum = 0;
  for (std::uint32_t f = 0; f < kFiles; ++f) {
    sum += service.telemetry().series(Metric::kRecords, {"pumps" + std::to_string(f), "accepted"}).value();
  }
  return static_cast<std::uint64_t>(sum);
}

std::int64_t checkpoints_in(const std::string& data_dir) {
  auto store = app::SqliteStore::open_to_read(data_dir + "/state.db");
  require(store.ok(), "the store can be read");
  const auto generations = (*store)->generations();
  require(generations.ok(), "generations");
  return generations->empty() ? 0 : generations->front().number;
}

double processor_seconds() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

// Seconds until all records are judged; `checkpoints`: how many there were meanwhile.
double drain(const Load& load, const std::string& data_dir, const std::string& every, std::int64_t& checkpoints, double& processor) {
  fs::remove_all(data_dir);
  app::Service service(load.config(data_dir, every), "");
  require(service.start().ok(), "start");
  processor = processor_seconds();
  const double seconds = seconds_of([&] {
    while (accepted(service) < load.records()) std::this_thread::sleep_for(std::chrono::milliseconds(5));
  });
  processor = processor_seconds() - processor;
  checkpoints = checkpoints_in(data_dir);
  service.stop();
  return seconds;
}

// Leaves the state of a service that was ended amid its files, with a window open for every sensor. Returns how many
// records it took.
std::uint64_t leave_state(const Load& load, const std::string& data_dir) {
  fs::remove_all(data_dir);
  app::Service service(load.config(data_dir, "1h"), "");
  require(service.start().ok(), "start");
  while (accepted(service) < load.records() / 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  service.stop();
  return accepted(service);
}

// Seconds from start() until ready with the state in `data_dir`, of a driftd that then reads the rest of its files.
double restart(const Load& load, const std::string& data_dir, std::uint64_t before) {
  {
    auto store = app::SqliteStore::open_to_read(data_dir + "/state.db");
    require(store.ok(), "the store can be read");
    std::uint64_t bytes = 0;
    const auto size = [&](const app::CheckpointUnit& unit, const Status& intact) { bytes += intact ? unit.state.size() : 0; };
    require((*store)->each_unit((*store)->generations()->front().number, size).ok(), "units");
    require(bytes > 200ULL * load.sensors, "a state of all sensors, not " + std::to_string(bytes) + " bytes");
  }
  app::Service service(load.config(data_dir, "1h"), "");
  const double seconds = seconds_of([&] {
    require(service.start().ok(), "start again");
    while (!service.not_ready().empty()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  });
  const Deadline deadline = Deadline::after(300 * kSecond);
  while (before + accepted(service) < load.records()) {
    require(!deadline.passed(), "it goes on to the end");
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  require(before + accepted(service) == load.records(), "it goes on where it was");
  service.stop();
  return seconds;
}

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

int main(std::uint32_t sensors, int rounds, bool memory) {
  log::set_level(log::Level::kError);
  const Load load{fs::temp_directory_path() / ("driftd-bench-" + std::to_string(getpid())), sensors, memory};
  fs::create_directories(load.folder);
  load.write();
  std::vector<double> costs, processors, without_rates, with_rates, starts;
  for (int round = 0; round <= rounds; ++round) {
    std::int64_t none = 0, many = 0;
    double cpu_without = 0, cpu_with = 0;
    const double without = drain(load, load.folder + "/without", "1h", none, cpu_without);
    const double with = drain(load, load.folder + "/with", "1s", many, cpu_with);
    require(none == 1, "no checkpoint but that of the start, which has nothing");
    require(many > none, "a checkpoint");
    many -= none;
    if (round == 0) continue;  // warms up
    costs.push_back((with - without) / static_cast<double>(many));
    processors.push_back((cpu_with - cpu_without) / static_cast<double>(many));
    without_rates.push_back(static_cast<double>(load.records()) / without);
    with_rates.push_back(static_cast<double>(load.records()) / with);
    std::printf("round %d: %.2f s without, %.2f s with %lld checkpoints: %.0f ms each, %.0f ms of a processor\n", round, without, with,
                static_cast<long long>(many), costs.back() * 1e3, processors.back() * 1e3);
  }
  std::uintmax_t bytes = 0;
  for (int round = 0; round < rounds; ++round) {
    const std::uint64_t before = leave_state(load, load.folder + "/left");
    bytes = fs::file_size(load.folder + "/left/state.db");
    starts.push_back(restart(load, load.folder + "/left", before));
  }
  fs::remove_all(load.folder);
  std::printf("%u sensors x 4 fields, %d checks, 2 streams; medians of %d rounds\n", sensors, memory ? 13 : 8, rounds);
  std::printf("%-58s %8.1f k/s\n", "records, no checkpoint (best)", *std::max_element(without_rates.begin(), without_rates.end()) / 1e3);
  std::printf("%-58s %8.1f k/s\n", "records, a checkpoint a second (best)", *std::max_element(with_rates.begin(), with_rates.end()) / 1e3);
  std::printf("%-58s %8.0f ms\n", "a checkpoint holds up", median(costs) * 1e3);
  std::printf("%-58s %8.0f ms\n", "its processor time", median(processors) * 1e3);
  std::printf("%-58s %8.1f %%\n", "of throughput, one every 10 s", median(costs) / kEvery * 100);
  std::printf("%-58s %8.0f ms  (most: %.0f)\n", "restart to ready", median(starts) * 1e3,
              *std::max_element(starts.begin(), starts.end()) * 1e3);
  std::printf("%-58s %8.1f MiB\n", "state.db", static_cast<double>(bytes) / 1024 / 1024);
  return 0;
}

}  // namespace
}  // namespace driftd::bench

int main(int argc, char** argv) {
  const long sensors = argc > 1 ? std::atol(argv[1]) : 100000;
  const long rounds = argc > 2 ? std::atol(argv[2]) : 3;
  return driftd::bench::main(static_cast<std::uint32_t>(std::clamp(sensors, 1000L, 1000000L)),
                             static_cast<int>(std::clamp(rounds, 1L, 20L)), argc > 3 && std::string_view(argv[3]) == "memory");
}
