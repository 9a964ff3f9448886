// Resident memory of one partition with 100,000 sensors of 4 numeric fields, windows of 5m by
// [stream, sensor], in_range and not_null on every field; and size and time of one checkpoint. `memory` adds
// checks that remember something of every sensor.
//
//   bench_sensors [sensors] [memory]
//
// Everything goes through the decoder, as it would live. What is measured is the process: resident
// memory after every sensor had three records in the open window, less that before the first
// record. A second figure is taken one window later, when the window that closed is kept for reuse.
#include <malloc.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "app/run/sqlite_store.h"
#include "bench/bench.h"

namespace driftd::bench {
namespace {

constexpr std::size_t kBatch = 1000;
constexpr double kMiB = 1024.0 * 1024.0;

constexpr const char* kStream = R"(streams:
  pumps:
    from: {file: {paths: [none.jsonl], format: json_lines}}
    decode: {format: json, sensor: sensor, time: {field: ts, unit: ms}}
    fields: {temperature: number, pressure: number, vibration: number, current: number}
    windows: {size: 5m, lateness: 10s, by: [stream, sensor]}
    checks:
      - {check: in_range, field: [temperature, pressure, vibration, current], min: -50, max: 150}
      - {check: not_null, field: [temperature, pressure, vibration, current]}
)";

constexpr const char* kWithMemory = R"(
      - {check: rate_of_change, field: temperature, max: 1000000}
      - {check: spike, field: vibration, z: 100}
      - {check: stuck_value, field: pressure, min_run: 20}
      - {check: duplicate}
)";

double resident() {
  std::ifstream statm("/proc/self/statm");
  std::size_t size = 0, pages = 0;
  statm >> size >> pages;
  return static_cast<double>(pages) * static_cast<double>(sysconf(_SC_PAGESIZE)) / kMiB;
}

struct Feeder {
  app::StreamEngine& engine;
  std::uint32_t sensors;
  RawBatch raw = {};
  std::int64_t position = 0;
  std::uint64_t out_of_range = 0;

  void flush() {
    if (raw.records.empty()) return;
    // Views are made last: the arena moves while it grows.
    std::size_t at = 0;
    for (RawRecord& record : raw.records) {
      const std::size_t end = raw.arena.find('\n', at);
      record.payload = std::string_view(raw.arena).substr(at, end - at);
      at = end + 1;
    }
    raw.next_position = position;
    require(engine.process(raw).ok(), "process");
    raw.records.clear();
    raw.arena.clear();
  }

  // One record of every sensor, 60 s after the one before; one in 1000 is out of range.
  void round(int number) {
    for (std::uint32_t s = 0; s < sensors; ++s) {
      const std::int64_t ts = 1767225600000 + number * 60000LL + s * 50000LL / sensors;
      const bool hot = (s + static_cast<std::uint32_t>(number)) % 1000 == 0;
      out_of_range += hot ? 1 : 0;
      char line[200];
      const int size =
          std::snprintf(line, sizeof line,
                        R"({"sensor":"plant-7/pump-%06u","ts":%lld,"temperature":%d.5,"pressure":4.%u,"vibration":0.%u,"current":12.25})"
                        "\n",
                        s, static_cast<long long>(ts), hot ? 200 : 60, s % 97, s % 89);
      raw.arena.append(line, static_cast<std::size_t>(size));
      RawRecord record;
      record.position = position++;
      raw.records.push_back(record);
      if (raw.records.size() == kBatch) flush();
    }
    flush();
  }
};

int main(std::uint32_t sensors, bool memory) {
  const auto plan = plan_of(read_stream(memory ? std::string(kStream) + (kWithMemory + 1) : kStream));
  Run run(plan);
  double failed = 0;
  Feeder feeder{*run.engine, sensors};
  malloc_trim(0);
  const double before = resident();
  for (int round = 0; round < 3; ++round) feeder.round(round);
  const double open = resident() - before;
  auto partition = run.engine->partition(0);
  require(partition.ok(), "no partition");
  app::PartitionEngine& engine = **partition;
  require(engine.counters().accepted == 3ULL * sensors && run.rejects.rejects == 0, "accepted");
  require(engine.dictionaries().sensors.size() == sensors, "sensors known");

  ByteWriter state;
  const double save = seconds_of([&] { engine.save(state); });
  const double with_state = resident() - before;
  {
    auto other = app::PartitionEngine::make(plan, 0, run.rejects);
    require(other.ok(), "a second engine");
    ByteReader in(state.bytes());
    require((*other)->load(in).ok() && in.left() == 0, "the state loads");
    ByteWriter again;
    (*other)->save(again);
    require(again.bytes() == state.bytes(), "what is loaded saves the same bytes");
  }
  const auto folder = std::filesystem::temp_directory_path() / ("driftd-bench-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  double put = 0;
  {
    auto store = app::SqliteStore::open((folder / "checkpoints.db").string());
    require(store.ok(), "no store");
    app::Checkpoint checkpoint;
    checkpoint.units.push_back({"pumps", 0, engine.next_position(), plan->config.hash, ""});
    checkpoint.units[0].state = state.bytes();
    put = seconds_of([&] { require((*store)->put(checkpoint).ok(), "put"); });
    auto stored = (*store)->unit("pumps", 0);
    require(stored.ok() && *stored && (*stored)->state == state.bytes(), "what was put is there");
  }
  std::filesystem::remove_all(folder);
  const std::size_t bytes = state.bytes().size();
  state = ByteWriter();
  malloc_trim(0);

  for (int round = 3; round < 8; ++round) feeder.round(round);  // closes the window of 0 to 4
  const double closed = resident() - before;
  run.engine->finish();
  std::size_t sensors_windows = 0;
  for (const Finding& f : run.findings) {
    if (f.check != "in_range") continue;
    if (f.segment.by == "stream") failed += *f.detail[0].number;
    if (f.segment.by == "sensor") ++sensors_windows;
  }
  require_near(failed, static_cast<double>(feeder.out_of_range), "records out of range");
  require(sensors_windows == feeder.out_of_range, "sensors' windows with one");

  std::printf("%u sensors x 4 fields, %d checks\n", sensors, memory ? 12 : 8);
  std::printf("%-58s %8.1f MiB  %6.0f bytes a sensor\n", "resident, 3 records a sensor", open, open * kMiB / sensors);
  std::printf("%-58s %8.1f MiB\n", "the same while a checkpoint's bytes are held", with_state);
  std::printf("%-58s %8.1f MiB\n", "resident, one window later", closed);
  std::printf("%-58s %8.1f MiB  %6.0f ms to save, %.0f ms to store (fsync)\n", "checkpoint", static_cast<double>(bytes) / kMiB, save * 1e3,
              put * 1e3);
  return 0;
}

}  // namespace
}  // namespace driftd::bench

int main(int argc, char** argv) {
  const long sensors = argc > 1 ? std::atol(argv[1]) : 100000;
  return driftd::bench::main(static_cast<std::uint32_t>(std::clamp(sensors, 1000L, 1000000L)),
                             argc > 2 && std::string_view(argv[2]) == "memory");
}
