// Alert: findings of one kind on one stream and segment that belong together, over time.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/finding.h"

namespace driftd {

enum class AlertState : std::uint8_t { kPending, kFiring, kResolved };
const char* to_string(AlertState state);  // pending firing resolved

struct Alert {
  std::string fingerprint;  // 16 hex digits of the labels; the same after a restart
  std::string stream;
  Segment segment;
  FindingKind kind = FindingKind::kQuality;
  std::string check;  // labels beyond stream, segment and kind, as alerts.group_by asks;
  std::string field;  // empty when not grouped by it
  Severity severity = Severity::kWarning;
  AlertState state = AlertState::kPending;
  Time starts_at = kNoTime;           // event time: start of the first bad window
  Time ends_at = kNoTime;             // event time: end of the window that resolved it
  Time last_seen = kNoTime;           // end of the newest bad window
  std::vector<std::string> findings;  // ids, newest last, capped
  std::string summary;                // one sentence for people
};

// The JSON line of DESIGN 6.
void append_json(std::string& out, const Alert& alert);

}  // namespace driftd
