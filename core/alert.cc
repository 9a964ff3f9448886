#include "core/alert.h"

#include <array>

#include "core/text.h"

namespace driftd {

const char* to_string(AlertState state) {
  static constexpr std::array<const char*, 3> kNames = {"pending", "firing", "resolved"};
  return kNames[static_cast<std::size_t>(state)];
}

void append_json(std::string& out, const Alert& alert) {
  const auto text = [&](const char* key, std::string_view value) {
    out += key;
    append_json_string(out, value);
  };
  text("{\"fingerprint\":", alert.fingerprint);
  text(",\"stream\":", alert.stream);
  text(",\"segment\":{\"by\":", alert.segment.by);
  if (!alert.segment.value.empty()) text(",\"value\":", alert.segment.value);
  text("},\"kind\":", to_string(alert.kind));
  if (!alert.field.empty()) text(",\"field\":", alert.field);
  if (!alert.check.empty()) text(",\"check\":", alert.check);
  text(",\"severity\":", to_string(alert.severity));
  text(",\"state\":", to_string(alert.state));
  text(",\"starts_at\":", format_time(alert.starts_at));
  if (alert.state == AlertState::kResolved) text(",\"ends_at\":", format_time(alert.ends_at));
  out += ",\"findings\":[";
  for (std::size_t i = 0; i < alert.findings.size(); ++i) {
    if (i != 0) out += ',';
    append_json_string(out, alert.findings[i]);
  }
  text("],\"summary\":", alert.summary);
  out += '}';
}

}  // namespace driftd
