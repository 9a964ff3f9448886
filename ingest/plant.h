// Plant: a simulated plant of pumps for the demo, tests and benches, with faults planted by plan.
//
// Each pump has a temperature (a daily cycle with autocorrelated noise around it), a vibration, a
// pressure, a status and a site. A fault changes nothing but what it says: every pump draws the
// same random numbers with and without it. Deterministic in its options. Thread-safety: none. Cost:
// about 1 us a record.
//
//   kind           what it does between `from` and `to`
//   nulls          vibration is null in every second record
//   out_of_range   temperature is 999
//   stuck          vibration repeats the last value from before
//   silence        no records
//   new_status     status is "cavitating"
//   fahrenheit     temperature is in degrees Fahrenheit instead of Celsius
//   slow_drift     pressure rises steadily, by 1 bar (ten standard deviations) until `to`
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/time.h"

namespace driftd::ingest {

enum class PlantFaultKind { kNulls, kOutOfRange, kStuck, kSilence, kNewStatus, kFahrenheit, kSlowDrift };

const std::vector<std::string>& plant_fault_kinds();  // the words above, in the order of the enum
std::optional<PlantFaultKind> plant_fault_kind(std::string_view word);

struct PlantFault {
  PlantFaultKind kind = PlantFaultKind::kNulls;
  std::vector<std::uint32_t> sensors;  // numbers from 0; empty: all
  Duration from = 0;                   // since the plant's start, half-open
  Duration to = 0;
};

struct PlantOptions {
  std::uint32_t sensors = 24;
  std::uint64_t seed = 1;
  Duration interval = kSecond;        // between two records of a pump; > 0
  Time start = 1767225600 * kSecond;  // event time of the first tick: 2026-01-01T00:00:00Z
  std::vector<PlantFault> faults;
};

struct PlantRecord {
  std::uint32_t sensor = 0;
  Time time = 0;     // event time, as in the JSON (whole milliseconds)
  std::string json;  // {"sensor_id":"pump-07","ts":...,"temperature":...,"vibration":...,
                     //  "pressure":...,"status":"running","site":"north"}
};

class Plant {
 public:
  // Precondition: interval >= 1 ms.
  explicit Plant(PlantOptions options);

  // Event time of the next tick.
  Time next_time() const { return options_.start + tick_ * options_.interval; }

  // Appends the records of one tick (one a pump that is not silent, in order of the pumps).
  void tick(std::vector<PlantRecord>& out);

  static std::string sensor_name(std::uint32_t sensor);  // "pump-07"

 private:
  struct Pump {
    std::uint64_t random = 0;
    double temperature_noise = 0;
    double vibration_noise = 0;
    double last_vibration = 0;  // before any stuck fault
  };

  PlantOptions options_;
  std::vector<Pump> pumps_;
  double memory_ = 0;  // of the noise, from one tick to the next
  std::int64_t tick_ = 0;
};

}  // namespace driftd::ingest
