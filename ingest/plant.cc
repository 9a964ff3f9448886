#include "ingest/plant.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include "core/hash.h"
#include "core/text.h"

namespace driftd::ingest {
namespace {

constexpr double kNoiseMemorySeconds = 300;
constexpr std::array<const char*, 3> kSites = {"north", "south", "east"};

// splitmix64 (Steele, Lea, Flood 2014).
std::uint64_t next_random(std::uint64_t& state) {
  std::uint64_t z = (state += 0x9e3779b97f4a7c15);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}
double uniform(std::uint64_t& state) { return static_cast<double>(next_random(state) >> 11) * 0x1p-53; }

// Nearly normal, mean 0 and variance 1, never beyond 6: the sum of twelve uniforms. The same to the
// last bit on every machine, which Box-Muller is not.
double normal(std::uint64_t& state) {
  double sum = -6;
  for (int i = 0; i < 12; ++i) sum += uniform(state);
  return sum;
}

const char* draw_status(double u) { return u < 0.92 ? "running" : u < 0.98 ? "idle" : "maintenance"; }

void append_member(std::string& out, std::string_view name, double value) {
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%.3f", value);
  out.append(",\"").append(name).append("\":").append(text.data());
}

const PlantFault* active(const std::vector<PlantFault>& faults, PlantFaultKind kind, std::uint32_t sensor, Duration since_start) {
  for (const PlantFault& fault : faults) {
    if (fault.kind != kind || since_start < fault.from || since_start >= fault.to) continue;
    const auto& sensors = fault.sensors;
    if (sensors.empty() || std::find(sensors.begin(), sensors.end(), sensor) != sensors.end()) return &fault;
  }
  return nullptr;
}

}  // namespace

const std::vector<std::string>& plant_fault_kinds() {
  static const std::vector<std::string> kWords = {"nulls", "out_of_range", "stuck", "silence", "new_status", "fahrenheit", "slow_drift"};
  return kWords;
}

std::optional<PlantFaultKind> plant_fault_kind(std::string_view word) {
  const auto& words = plant_fault_kinds();
  const auto it = std::find(words.begin(), words.end(), word);
  if (it == words.end()) return std::nullopt;
  return static_cast<PlantFaultKind>(it - words.begin());
}

std::string Plant::sensor_name(std::uint32_t sensor) {
  std::array<char, 24> text{};
  std::snprintf(text.data(), text.size(), "pump-%02u", sensor);
  return text.data();
}

Plant::Plant(PlantOptions options) : options_(std::move(options)) {
  memory_ = std::exp(-to_seconds(options_.interval) / kNoiseMemorySeconds);
  for (std::uint32_t s = 0; s < options_.sensors; ++s) {
    Pump pump;
    pump.random = hash64(sensor_name(s), options_.seed);
    pump.temperature_noise = normal(pump.random);
    pump.vibration_noise = normal(pump.random);
    pumps_.push_back(pump);
  }
}

void Plant::tick(std::vector<PlantRecord>& out) {
  constexpr double kTwoPi = 6.283185307179586;
  const Duration since = tick_ * options_.interval;
  const Time now = options_.start + since;
  const double fresh = std::sqrt(1 - memory_ * memory_);
  const double day = to_seconds(now - floor_to(now, kDay)) / to_seconds(kDay);
  for (std::uint32_t s = 0; s < pumps_.size(); ++s) {
    Pump& pump = pumps_[s];
    const auto fault = [&](PlantFaultKind kind) { return active(options_.faults, kind, s, since); };
    pump.temperature_noise = memory_ * pump.temperature_noise + fresh * normal(pump.random);
    pump.vibration_noise = memory_ * pump.vibration_noise + fresh * normal(pump.random);
    double temperature = 60 + 3 * std::sin(kTwoPi * (day - 0.25)) + 1.5 * pump.temperature_noise + 0.3 * (s % 5);
    double vibration = 2 + 0.2 * pump.vibration_noise + 0.05 * normal(pump.random);
    double pressure = 5 + 0.1 * normal(pump.random);
    const char* status = draw_status(uniform(pump.random));

    if (fault(PlantFaultKind::kSilence) != nullptr) continue;
    if (fault(PlantFaultKind::kFahrenheit) != nullptr) temperature = temperature * 9 / 5 + 32;
    if (fault(PlantFaultKind::kOutOfRange) != nullptr) temperature = 999;
    if (fault(PlantFaultKind::kNewStatus) != nullptr) status = "cavitating";
    if (const PlantFault* drift = fault(PlantFaultKind::kSlowDrift)) {
      pressure += to_seconds(since - drift->from) / to_seconds(drift->to - drift->from);
    }
    if (fault(PlantFaultKind::kStuck) != nullptr) {
      vibration = pump.last_vibration;
    } else {
      pump.last_vibration = vibration;
    }
    const bool null = fault(PlantFaultKind::kNulls) != nullptr && tick_ % 2 == 0;

    PlantRecord record;
    record.sensor = s;
    record.time = floor_to(now, kMillisecond);
    record.json = "{\"sensor_id\":\"" + sensor_name(s) + "\",\"ts\":" + std::to_string(record.time / kMillisecond);
    append_member(record.json, "temperature", temperature);
    if (null) {
      record.json += ",\"vibration\":null";
    } else {
      append_member(record.json, "vibration", vibration);
    }
    append_member(record.json, "pressure", pressure);
    record.json.append(",\"status\":\"").append(status).append("\",\"site\":\"");
    record.json.append(kSites[s % kSites.size()]).append("\"}");
    out.push_back(std::move(record));
  }
  ++tick_;
}

}  // namespace driftd::ingest
