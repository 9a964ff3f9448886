#include "app/commands/demo_plan.h"

namespace driftd::app {

std::vector<PlantedFault> demo_faults() {
  using K = ingest::PlantFaultKind;
  std::vector<PlantedFault> faults = {
      {.kind = K::kNulls, .what = "pump-03: vibration is null in every second record", .check = "not_null", .field = "vibration", .sensors = {3}},
      {.kind = K::kOutOfRange, .what = "pump-07: temperature reads 999", .check = "in_range", .field = "temperature", .sensors = {7}},
      {.kind = K::kStuck, .what = "pump-11: vibration repeats one value", .check = "stuck_value", .field = "vibration", .sensors = {11}},
      {.kind = K::kSilence, .what = "pump-15: sends nothing", .check = "gap", .field = "", .sensors = {15}},
      {.kind = K::kNewStatus, .what = "pump-19: a status never seen before", .check = "new_category", .field = "status", .sensors = {19}},
      {.kind = K::kFahrenheit, .what = "all pumps: Fahrenheit instead of Celsius", .check = "distance", .field = "temperature", .sensors = {}},
      {.kind = K::kSlowDrift, .what = "all pumps: pressure drifts up slowly", .check = "distance", .field = "pressure", .sensors = {}},
  };
  Duration at = kDemoClean;
  for (PlantedFault& fault : faults) {
    fault.from = at;
    fault.to = at + kDemoFault;
    at = fault.to + kDemoPause;
  }
  return faults;
}

Duration demo_length() { return demo_faults().back().to + 2 * kDemoWindow; }

std::string demo_config(const std::string& brokers, const std::string& data_dir, const std::string& listen) {
  return R"(service:
  listen: ")" + listen + R"("
  data_dir: )" + data_dir + R"(
  log_level: warning
  checkpoint_every: 5s
streams:
  pumps:
    from:
      kafka: {brokers: [")" + brokers + R"("], topics: [plant.pumps], group: driftd-demo}
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
      - {check: distance, field: pressure, metric: ks, max: 0.3, by: [stream]}
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

}  // namespace driftd::app
