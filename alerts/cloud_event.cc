#include "alerts/cloud_event.h"

#include "core/text.h"

namespace driftd::alerts {
namespace {

// What stands behind the findings, at its longest.
constexpr std::size_t kTail = 48;

std::string head(const Message& m, const std::string& source) {
  std::string out = "{\"specversion\":\"1.0\",\"id\":";
  append_json_string(out, m.id);
  out += ",\"source\":";
  append_json_string(out, source.empty() ? "urn:driftd" : source);
  out += ",\"type\":";
  append_json_string(out, "driftd." + m.type);
  if (!m.group_key.empty()) {
    out += ",\"subject\":";
    append_json_string(out, m.group_key);
  }
  out += ",\"time\":\"" + format_time(m.created_at) + "\",\"datacontenttype\":\"application/json\"";
  return out;
}

std::string alert_list(const Message& m, std::size_t max_ids) {
  std::string out = "\"alerts\":[";
  for (const Alert& alert : m.alerts) {
    if (out.back() != '[') out += ',';
    Alert shown = alert;
    if (shown.findings.size() > max_ids) {
      shown.findings.erase(shown.findings.begin(), shown.findings.end() - static_cast<std::ptrdiff_t>(max_ids));
    }
    append_json(out, shown);
  }
  return out + "]";
}

}  // namespace

std::string cloud_event(const Message& m, const std::string& source, const std::string& more) {
  std::string out = head(m, source) + ",\"data\":{" + more;
  std::string alerts = alert_list(m, SIZE_MAX);
  if (out.size() + alerts.size() + kTail > kMaxEventBody) alerts = alert_list(m, 1);
  out += alerts + ",\"findings\":[";
  std::size_t first = m.finding_lines.size();
  for (std::size_t size = out.size() + kTail; first > 0; --first) {
    size += m.finding_lines[first - 1].size() + 1;
    if (size > kMaxEventBody) break;
  }
  for (std::size_t i = first; i < m.finding_lines.size(); ++i) {
    if (i != first) out += ',';
    out += m.finding_lines[i];
  }
  out += ']';
  if (first > 0) out += ",\"findings_left_off\":" + std::to_string(first);
  return out + "}}";
}

}  // namespace driftd::alerts
