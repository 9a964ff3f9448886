#include "app/commands/demo_plan.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/text.h"

namespace driftd::app {

std::vector<PlantedFault> demo_faults() {
  using K = ingest::PlantFaultKind;
  std::vector<PlantedFault> faults = {
      {.kind = K::kNulls,
       .what = "pump-03: vibration is null in every second record",
       .check = "not_null",
       .field = "vibration",
       .sensors = {3}},
      {.kind = K::kOutOfRange, .what = "pump-07: temperature reads 999", .check = "in_range", .field = "temperature", .sensors = {7}},
      {.kind = K::kStuck, .what = "pump-11: vibration repeats one value", .check = "stuck_value", .field = "vibration", .sensors = {11}},
      {.kind = K::kSilence, .what = "pump-15: sends nothing", .check = "gap", .field = "", .sensors = {15}},
      {.kind = K::kNewStatus, .what = "pump-19: a status never seen before", .check = "new_category", .field = "status", .sensors = {19}},
      {.kind = K::kFahrenheit,
       .what = "all pumps: Fahrenheit instead of Celsius",
       .check = "distance",
       .field = "temperature",
       .sensors = {}},
      {.kind = K::kSlowDrift, .what = "all pumps: pressure drifts up slowly", .check = "distance", .field = "pressure", .sensors = {}},
  };
  Duration at = kDemoClean;
  for (PlantedFault& fault : faults) {
    fault.from = at;
    fault.to = at + (fault.kind == K::kSlowDrift ? kDemoSlow : kDemoFault);
    at = fault.to + kDemoPause;
  }
  return faults;
}

namespace {

// Whether the windows that show it have been judged.
bool over(const PlantedFault& fault, Time plant_start, Time judged_until) {
  return judged_until != kNoTime && judged_until >= plant_start + fault.to;
}

}  // namespace

Duration demo_length() { return demo_faults().back().to + 2 * kDemoWindow; }

std::string demo_config(const std::string& brokers, const std::string& data_dir, const std::string& listen) {
  return R"(service:
  listen: ")" +
         listen + R"("
  data_dir: )" +
         data_dir + R"(
  log_level: warning
  checkpoint_every: 5s
streams:
  pumps:
    from:
      kafka: {brokers: [")" +
         brokers + R"("], topics: [plant.pumps], group: driftd-demo}
    decode: {format: json, sensor: sensor_id, time: {field: ts, unit: ms}}
    fields:
      temperature: {type: number, unit: celsius}
      vibration: {type: number, unit: mm/s}
      pressure: {type: number, unit: bar}
      status: {type: category}
      site: {type: category, role: segment}
    windows: {size: 5m, lateness: 30s, by: [stream, site, sensor]}
    checks:
      - {check: not_null, field: [temperature, vibration, pressure]}
      - {check: in_range, field: temperature, min: -40, max: 250, severity: critical}
      - {check: stuck_value, field: vibration, min_run: 10}
      - {check: gap, max: 2m}
      - {check: new_category, field: status}
      - {check: distance, field: temperature, metric: wasserstein, normalize: sd, max: 5, by: [stream]}
      - {check: distance, field: pressure, metric: ks, max: 0.5, by: [stream]}
    reference: pumps@production
alerts:
  for: 1
)";
}

bool names(const Finding& finding, const PlantedFault& fault, Time plant_start) {
  if (finding.verdict != Verdict::kFail || finding.check != fault.check || finding.field != fault.field) return false;
  if (finding.window_end <= plant_start + fault.from || finding.window_start >= plant_start + fault.to + kDemoWindow) return false;
  if (fault.sensors.empty()) return true;
  // A sensor's own finding, or one whose example is the sensor.
  const std::string sensor = ingest::Plant::sensor_name(fault.sensors.front());
  if (finding.segment.by == "sensor") return finding.segment.value == sensor;
  for (const Detail& d : finding.detail) {
    if (d.key == "first_sensor" && d.text == sensor) return true;
  }
  return false;
}

Result<double> demo_speed(double asked, Duration duration) {
  if (duration == 0) return asked > 0 ? asked : 60.0;
  const Duration run_for = std::max<Duration>(duration - kDemoJoin, 5 * kSecond);
  const double needed = to_seconds(demo_length()) / to_seconds(run_for);
  if (asked <= 0) return needed;
  if (asked >= needed) return asked;
  return Error{ErrorCode::kInvalidArgument,
               "--speed " + format_number(asked) + " plays " +
                   format_duration(static_cast<Duration>(asked * static_cast<double>(run_for)) / kSecond * kSecond) + " of the plant's " +
                   format_duration(demo_length()) + " within --duration " + format_duration(duration) +
                   "; leave --speed out, or give at least " + format_number(std::ceil(needed))};
}

DemoOutcome demo_outcome(const std::vector<PlantedFault>& faults, std::size_t early, Time plant_start, Time judged_until) {
  DemoOutcome out;
  out.early = early;
  for (const PlantedFault& f : faults) {
    std::size_t& of = f.found_at != kNoTime ? out.found : over(f, plant_start, judged_until) ? out.missed : out.to_come;
    ++of;
  }
  return out;
}

std::string demo_summary(const std::vector<PlantedFault>& faults, std::size_t early, Time plant_start, Time judged_until) {
  char line[256];
  std::snprintf(line, sizeof line, "\n%-52s %-10s %-24s %s\n", "planted fault", "at", "found by", "after (plant time)");
  std::string out = line;
  for (const PlantedFault& f : faults) {
    const bool found = f.found_at != kNoTime;
    const char* none = over(f, plant_start, judged_until) ? "NOT FOUND" : "not over when it ended";
    std::snprintf(line, sizeof line, "%-52s %-10s %-24s %s\n", f.what.c_str(), clock_of(plant_start + f.from).c_str(),
                  found ? f.found_by.c_str() : none, found ? format_duration(f.found_at - (plant_start + f.from)).c_str() : "");
    out += line;
  }
  const DemoOutcome outcome = demo_outcome(faults, early, plant_start, judged_until);
  out += "\n" + std::to_string(outcome.found) + " of " + std::to_string(outcome.found + outcome.missed) + " planted faults found, " +
         std::to_string(outcome.early) + " finding(s) before the first fault\n";
  if (outcome.to_come > 0) out += std::to_string(outcome.to_come) + " fault(s) were not over when the demo ended\n";
  return out;
}

std::string clock_of(Time t) { return format_time(t).substr(11, 8); }

}  // namespace driftd::app
