// Generator source: the simulated plant of ingest/plant.h as a stream, for trying things out.
#include <algorithm>
#include <mutex>
#include <thread>

#include "core/text.h"
#include "core/unit_problems.h"
#include "ingest/plant.h"
#include "ingest/source.h"

namespace driftd::ingest {
namespace {

constexpr std::size_t kMaxBatch = 4096;  // records, give or take one tick

class GeneratorSource final : public Source {
 public:
  GeneratorSource(PlantOptions options, double speed, Duration duration)
      : plant_(options), speed_(speed), end_(duration > 0 ? options.start + duration : kNoTime) {}

  Status open(SourceHandler& handler) override {
    handler_ = &handler;
    skip_to_ = handler.on_assigned(0).value_or(0);
    const std::lock_guard lock(mutex_);
    status_.connected = status_.assigned = true;
    status_.partitions = {{0, 0}};
    return {};
  }

  Result<bool> poll(Deadline deadline, RawBatch& out) override {
    begin(out);
    if (paused_ || handler_ == nullptr) return false;
    ticks_.clear();
    while (!finished() && ticks_.size() < kMaxBatch) {
      const Duration early = speed_ > 0 && position_ >= skip_to_ ? until(plant_.next_time()) : 0;
      if (early > 0) {
        if (!ticks_.empty() || deadline.passed()) break;
        std::this_thread::sleep_for(std::chrono::nanoseconds(std::min(early, deadline.left())));
      } else {
        tick();
      }
    }
    hand_over(out);
    return !out.records.empty();
  }

  void pause(bool paused) override { paused_ = paused; }
  bool finished() const override { return end_ != kNoTime && plant_.next_time() >= end_; }

  void close() override {
    if (handler_ == nullptr) return;
    handler_->on_revoked({0});
    handler_ = nullptr;
    const std::lock_guard lock(mutex_);
    status_ = {};
    status_.detail = "closed";
  }

  SourceStatus status() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }

 private:
  static void begin(RawBatch& out) {
    out.partition = 0;
    out.records.clear();
    out.arena.clear();
    out.owner.reset();
  }

  // Wall-clock time until a tick is due. The clock starts with the first record that is handed
  // over, so a restart goes on at the pace, not in a rush to catch up.
  Duration until(Time tick_time) {
    const Duration now = monotonic_now();
    if (pace_from_ == kNoTime) {
      pace_from_ = now;
      pace_time_ = tick_time;
    }
    const double due = static_cast<double>(tick_time - pace_time_) / speed_;
    return static_cast<Duration>(due) - (now - pace_from_);
  }

  void tick() {
    plant_.tick(ticks_);
    position_ += static_cast<std::int64_t>(ticks_.size() - counted_);
    if (position_ <= skip_to_) ticks_.clear();  // all of them were seen before a restart
    counted_ = ticks_.size();
  }

  void hand_over(RawBatch& out) {
    counted_ = 0;
    auto position = position_ - static_cast<std::int64_t>(ticks_.size());
    std::size_t bytes = 0;
    for (const PlantRecord& record : ticks_) bytes += record.json.size();
    out.arena.reserve(bytes);
    for (const PlantRecord& record : ticks_) {
      if (position++ < skip_to_) continue;
      const std::size_t at = out.arena.size();
      out.arena += record.json;
      RawRecord raw;
      raw.payload = std::string_view(out.arena).substr(at);
      raw.arrival = record.time;
      raw.position = position - 1;
      out.records.push_back(raw);
    }
    out.next_position = position_;
  }

  Plant plant_;
  double speed_;
  Time end_;
  SourceHandler* handler_ = nullptr;
  bool paused_ = false;
  std::vector<PlantRecord> ticks_;
  std::size_t counted_ = 0;    // of ticks_, in position_
  std::int64_t position_ = 0;  // of the next record that the plant makes
  std::int64_t skip_to_ = 0;
  Duration pace_from_ = kNoTime;  // monotonic
  Time pace_time_ = 0;
  mutable std::mutex mutex_;  // guards status_
  SourceStatus status_;
};

std::vector<ParamSpec> fault_specs() {
  return {
      {.name = "kind", .type = ParamType::kChoice, .sentence = "What goes wrong", .required = true, .choices = plant_fault_kinds()},
      {.name = "sensors", .type = ParamType::kNumberList, .sentence = "Numbers of the pumps from 0; all when left out"},
      {.name = "from", .type = ParamType::kDuration, .sentence = "Event time since the start", .required = true},
      {.name = "to", .type = ParamType::kDuration, .sentence = "Event time since the start", .required = true},
  };
}

std::optional<PlantFault> read_fault(const Node& node, UnitProblems& problems) {
  ErrorList errors;
  const Params params = read_params(node, fault_specs(), "fault", errors);
  for (const ConfigError& error : errors.errors()) {
    Node at = node;
    at.line = error.line;
    at.column = error.column;
    problems.add(at, error.message + (error.suggestion.empty() ? "" : " (" + error.suggestion + ")"));
  }
  if (!errors.empty()) return std::nullopt;
  PlantFault fault;
  fault.kind = *plant_fault_kind(params.text("kind"));
  fault.from = params.duration("from");
  fault.to = params.duration("to");
  if (fault.to <= fault.from) problems.add(params.node("to"), "fault: 'to' must be later than 'from'");
  for (const double sensor : params.numbers("sensors")) {
    if (sensor < 0 || sensor != std::uint32_t(std::min(sensor, 1e9))) {
      problems.add(params.node("sensors"), "fault: sensors are numbers from 0");
      return std::nullopt;
    }
    fault.sensors.push_back(static_cast<std::uint32_t>(sensor));
  }
  return fault;
}

Result<std::unique_ptr<Source>> make(const Params& params, const SourceContext& context) {
  UnitProblems problems(params, context.problems, "from: generator");
  PlantOptions options;
  options.sensors = static_cast<std::uint32_t>(params.integer("sensors"));
  options.seed = static_cast<std::uint64_t>(params.integer("seed"));
  options.interval = params.duration("interval");
  const auto start = parse_time(params.text("start"));
  if (!start) problems.add("start", "'start' is no RFC 3339 time, as 2026-01-01T00:00:00Z");
  options.start = start.value_or(0);
  const Node& faults = params.node("faults");
  if (!faults.is_list() && !faults.is_null()) problems.add("faults", "'faults' must be a list");
  for (const Node& node : faults.items) {
    if (auto fault = read_fault(node, problems)) options.faults.push_back(*std::move(fault));
  }
  if (problems.done()) return problems.result<Source>();
  return std::unique_ptr<Source>(std::make_unique<GeneratorSource>(options, params.number("speed"), params.duration("duration")));
}

}  // namespace

void register_generator(SourceRegistry& registry) {
  Descriptor d;
  d.name = "generator";
  d.summary = "Simulates a plant of pumps, with faults at planned times.";
  d.applies_to = "stream";
  d.params = {
      {.name = "sensors", .type = ParamType::kInteger, .sentence = "Number of pumps", .default_text = "24", .min = 1, .max = 100000},
      {.name = "seed", .type = ParamType::kInteger, .sentence = "Seed of the noise", .default_text = "1", .min = 0},
      {.name = "interval",
       .type = ParamType::kDuration,
       .sentence = "Event time between two records of a pump",
       .default_text = "1s",
       .min = 0.001,
       .max = 86400},
      {.name = "start",
       .type = ParamType::kText,
       .sentence = "Event time of the first record, RFC 3339",
       .default_text = "2026-01-01T00:00:00Z"},
      {.name = "speed",
       .type = ParamType::kNumber,
       .sentence = "Event seconds a second; 0 is as fast as possible",
       .default_text = "1",
       .min = 0,
       .max = 1e9},
      {.name = "duration",
       .type = ParamType::kDuration,
       .sentence = "Event time after which the stream ends; 0s is never",
       .default_text = "0s",
       .min = 0},
      {.name = "faults", .type = ParamType::kNode, .sentence = "List of {kind, sensors, from, to}; times since the start"},
  };
  d.source = "driftd's demo";
  d.example =
      "from:\n"
      "  generator: {sensors: 24, speed: 60, faults: [{kind: stuck, sensors: [3], from: 30m, to: "
      "45m}]}\n"
      "decode: {format: json, sensor: sensor_id, time: {field: ts, unit: ms}}\n";
  d.notes =
      "Records are JSON with sensor_id, ts (ms), temperature, vibration, pressure, status and "
      "site. Kinds of "
      "fault: nulls (vibration), out_of_range (temperature 999), stuck (vibration), silence, "
      "new_status, "
      "fahrenheit (temperature), slow_drift (pressure). The same settings give the same records; a "
      "restart "
      "makes again what was read and goes on behind it.";
  registry.add(std::move(d), make);
}

}  // namespace driftd::ingest
