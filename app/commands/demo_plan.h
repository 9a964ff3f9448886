// What the demo plants, when, and which check must find it.
#pragma once

#include <string>
#include <vector>

#include "core/finding.h"
#include "core/result.h"
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

inline constexpr Duration kDemoClean = 30 * kMinute;  // before the first fault
inline constexpr Duration kDemoFault = 20 * kMinute;
inline constexpr Duration kDemoSlow = 60 * kMinute;  // the slow drift, which no single window shows at once
inline constexpr Duration kDemoPause = 10 * kMinute;
inline constexpr Duration kDemoWindow = 5 * kMinute;

std::vector<PlantedFault> demo_faults();
// Plant time from the start to when the last fault's windows are closed.
Duration demo_length();
// The demo's configuration, as a user would write it.
std::string demo_config(const std::string& brokers, const std::string& data_dir, const std::string& listen);

// Does the finding name the fault?
bool names(const Finding& finding, const PlantedFault& fault, Time plant_start);

// Joining the group takes a few seconds of --duration; the plant runs meanwhile and driftd catches up.
inline constexpr Duration kDemoJoin = 12 * kSecond;

// Plant seconds a second: `asked`, or (0) what plays the whole plan within `duration`, or (0 too) 60.
// Error: the asked speed does not reach the end of the plan within the duration.
Result<double> demo_speed(double asked, Duration duration);

// What has come of the plan when everything up to `judged_until` has been judged. A fault that was not
// over by then is neither found nor missed, but the demo was not good: not all of the plan was shown.
struct DemoOutcome {
  std::size_t found = 0;
  std::size_t missed = 0;
  std::size_t to_come = 0;
  std::size_t early = 0;  // findings before the first fault
  bool good() const { return missed == 0 && early == 0 && to_come == 0; }
};
DemoOutcome demo_outcome(const std::vector<PlantedFault>& faults, std::size_t early, Time plant_start, Time judged_until);
// The table of it, a row a fault.
std::string demo_summary(const std::vector<PlantedFault>& faults, std::size_t early, Time plant_start, Time judged_until);
// "00:35:00"
std::string clock_of(Time t);

}  // namespace driftd::app
