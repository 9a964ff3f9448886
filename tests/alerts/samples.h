// Findings and alerts for the tests of alerts/.
#pragma once

#include <string>

#include "alerts/alert_book.h"
#include "alerts/router.h"
#include "core/finding.h"
#include "core/time.h"

namespace driftd::alerts {

inline constexpr Time kWindow = 5 * kMinute;
inline constexpr Time kDay0 = 20000 * kDay;  // 2024-10-04T00:00:00Z

inline Time window_end(int n) { return kDay0 + n * kWindow; }

// A failing finding of window n of stream pumps, site a.
inline Finding failing(int n, const std::string& check = "in_range", Severity severity = Severity::kWarning) {
  Finding f;
  f.stream = "pumps";
  f.segment = {"site", "a"};
  f.field = "temperature";
  f.check = check;
  f.verdict = Verdict::kFail;
  f.reason = "share_above_max";
  f.severity = severity;
  f.window_start = window_end(n - 1);
  f.window_end = window_end(n);
  f.value = 0.12;
  f.threshold = 0.01;
  f.id = finding_id(f, "config");
  return f;
}

inline Alert sample_alert(const std::string& site = "a", AlertState state = AlertState::kFiring) {
  Alert a;
  a.stream = "pumps";
  a.segment = {"site", site};
  a.severity = Severity::kCritical;
  a.state = state;
  a.starts_at = kDay0;
  a.last_seen = kDay0 + 2 * kWindow;
  if (state == AlertState::kResolved) a.ends_at = kDay0 + 4 * kWindow;
  a.findings = {"00000000000000f1", "00000000000000f2"};
  a.summary = "pumps site=" + site + ": in_range of temperature fails, 2 windows";
  a.fingerprint = fingerprint(a);
  return a;
}

inline Outgoing outgoing(const std::string& id, const std::string& receiver = "hook", const std::string& type = "alert.firing",
                         const std::string& site = "a") {
  Outgoing o;
  o.receiver = receiver;
  o.message.id = id;
  o.message.type = type;
  o.message.group_key = "stream=\"pumps\",segment=\"site=" + site + "\"";
  o.message.alerts = {sample_alert(site, type == "alert.resolved" ? AlertState::kResolved : AlertState::kFiring)};
  o.message.finding_lines = {R"({"id":"00000000000000f1","value":0.12})"};
  return o;
}

// One that waits for no other.
inline Outgoing ungrouped(const std::string& id, const std::string& receiver = "hook") {
  return outgoing(id, receiver, "alert.firing", id);
}

}  // namespace driftd::alerts
