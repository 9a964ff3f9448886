// What the demo plants, when, and which check must find it.
#pragma once

#include <string>
#include <vector>

#include "core/finding.h"
#include "ingest/plant.h"

namespace driftd::app {

struct PlantedFault {
  ingest::PlantFaultKind kind;
  std::string what;   // for people: "pump-03: vibration is null in every second record"
  std::string check;  // that must find it
  std::string field;
  std::vector<std::uint32_t> sensors;  // empty: all
  Duration from = 0, to = 0;           // since the plant's start
  // Filled in while it runs.
  std::string found_by = {};
  Time found_at = kNoTime;  // end of the window
};

inline constexpr Duration kDemoClean = 30 * kMinute;   // before the first fault
inline constexpr Duration kDemoFault = 20 * kMinute;
inline constexpr Duration kDemoPause = 10 * kMinute;
inline constexpr Duration kDemoWindow = 5 * kMinute;

std::vector<PlantedFault> demo_faults();
// Plant time from the start to when the last fault's windows are closed.
Duration demo_length();
// The demo's configuration, as a user would write it.
std::string demo_config(const std::string& brokers, const std::string& data_dir, const std::string& listen);

// Does the finding name the fault?
bool names(const Finding& finding, const PlantedFault& fault, Time plant_start);

}  // namespace driftd::app
