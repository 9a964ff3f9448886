#include "alerts/router.h"

#include <algorithm>
#include <map>
#include <tuple>

#include "core/hash.h"
#include "core/text.h"

namespace driftd::alerts {
namespace {

constexpr std::size_t kMaxAlerts = 16;        // of a message: keeps bodies below 20 kB
constexpr std::size_t kMaxAlertsState = 200;  // Alertmanager has no such limit
constexpr std::size_t kMaxLines = 20;

template <class T>
bool has(const std::vector<T>& list, const T& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

bool matches_segment(const std::vector<std::string>& wanted, const Segment& segment) {
  return wanted.empty() || has(wanted, segment.by) || has(wanted, segment.by + "=" + segment.value);
}

bool matches_route(const Route& r, const Alert& alert, const Scope& scope) {
  const auto severity = [&](Severity s) { return (scope.severities >> static_cast<unsigned>(s) & 1U) != 0; };
  const auto check = [&](const CheckName& c) {
    return (r.checks.empty() || has(r.checks, c.check)) && (r.fields.empty() || has(r.fields, c.field));
  };
  return (r.severities.empty() || std::any_of(r.severities.begin(), r.severities.end(), severity)) &&
         (r.kinds.empty() || has(r.kinds, alert.kind)) && (r.streams.empty() || has(r.streams, alert.stream)) &&
         matches_segment(r.segments, alert.segment) &&
         ((r.checks.empty() && r.fields.empty()) || std::any_of(scope.checks.begin(), scope.checks.end(), check));
}

bool about_drift(FindingKind kind) {
  return kind == FindingKind::kDrift || kind == FindingKind::kConceptDrift || kind == FindingKind::kPerformance;
}

std::string label_value(const Alert& alert, const std::string& label) {
  if (label == "stream") return alert.stream;
  if (label == "kind") return to_string(alert.kind);
  if (label == "check") return alert.check;
  if (label == "field") return alert.field;
  return alert.segment.value.empty() ? alert.segment.by : alert.segment.by + "=" + alert.segment.value;
}

// The key of a message and of each of its attempts: everything that makes it this message.
std::string message_id(const std::string& receiver, const Message& m, Time at) {
  std::string key = receiver + '\0' + m.type + '\0' + m.group_key + '\0' + std::to_string(at);
  for (const Alert& alert : m.alerts) {
    key += '\0' + alert.fingerprint + '\0' + std::to_string(alert.starts_at);
  }
  return hex64(hash64(key));
}

}  // namespace

Takes takes(const Notifier& notifier) {
  if (notifier.retrain_cooldown()) return Takes::kRetraining;
  return notifier.resend_every() > 0 ? Takes::kState : Takes::kMessages;
}

Router::Router(std::vector<Route> routes, std::vector<std::string> group_by, std::vector<ReceiverInfo> receivers)
    : routes_(std::move(routes)), group_by_(std::move(group_by)), receivers_(std::move(receivers)) {}

bool Router::matches(const std::string& receiver, const Alert& alert, const Scope& scope) const {
  if (scope.severities == 0) return false;  // nothing was told yet
  if (routes_.empty()) return true;
  return std::any_of(routes_.begin(), routes_.end(), [&](const Route& r) { return has(r.to, receiver) && matches_route(r, alert, scope); });
}

bool Router::knows(const std::string& receiver) const {
  return std::any_of(receivers_.begin(), receivers_.end(), [&](const ReceiverInfo& r) { return r.name == receiver; });
}

Takes Router::takes_of(const std::string& receiver) const {
  const auto it = std::find_if(receivers_.begin(), receivers_.end(), [&](const ReceiverInfo& r) { return r.name == receiver; });
  return it == receivers_.end() ? Takes::kMessages : it->takes;
}

std::vector<std::string> Router::receivers() const {
  std::vector<std::string> out;
  for (const ReceiverInfo& r : receivers_) out.push_back(r.name);
  return out;
}

std::vector<Outgoing> Router::introduce(const std::vector<ActiveAlert>& firing, const Router& before) const {
  std::vector<Outgoing> out;
  for (const ReceiverInfo& receiver : receivers_) {
    if (receiver.takes != Takes::kMessages) continue;
    std::vector<AlertEvent> events;
    for (const ActiveAlert& a : firing) {
      if (before.knows(receiver.name) && before.matches(receiver.name, a.alert, a.scope)) continue;
      events.push_back({AlertEvent::Type::kFiring, a.alert, a.alert.last_seen, a.scope, {}, {}});
    }
    for (Outgoing& message : Router(routes_, group_by_, {receiver}).messages(events)) out.push_back(std::move(message));
  }
  return out;
}

std::string Router::group_key(const Alert& alert, Takes takes) const {
  static const std::vector<std::string> kRetrainLabels = {"stream", "segment"};
  if (takes == Takes::kState) return {};  // it groups by itself
  std::string out;
  for (const std::string& label : takes == Takes::kRetraining ? kRetrainLabels : group_by_) {
    if (!out.empty()) out += ',';
    out += label + '=';
    append_json_string(out, label_value(alert, label));
  }
  return out;
}

// What the receiver is told about the event; empty: nothing.
std::string Router::message_type(const ReceiverInfo& receiver, const AlertEvent& event) const {
  if (!matches(receiver.name, event.alert, event.scope)) return {};
  if (event.type == AlertEvent::Type::kResolved) {
    return receiver.takes == Takes::kRetraining ? "" : "alert.resolved";
  }
  const bool known = matches(receiver.name, event.alert, event.told);
  switch (receiver.takes) {
    case Takes::kState:
      return {};
    case Takes::kRetraining:
      return known || !about_drift(event.alert.kind) ? "" : "retrain.requested";
    case Takes::kMessages:
      break;
  }
  return known ? "alert.updated" : "alert.firing";
}

std::vector<Outgoing> Router::messages(const std::vector<AlertEvent>& events) const {
  using Key = std::tuple<std::string, std::string, std::string>;  // receiver, type, group
  std::map<Key, std::vector<Message>> groups;
  Time at = kNoTime;
  for (const AlertEvent& event : events) {
    at = std::max(at, event.at);
    for (const ReceiverInfo& receiver : receivers_) {
      const std::string type = message_type(receiver, event);
      if (type.empty()) continue;
      const std::size_t cap = receiver.takes == Takes::kState ? kMaxAlertsState : kMaxAlerts;
      const std::string key = group_key(event.alert, receiver.takes);
      std::vector<Message>& parts = groups[{receiver.name, type, key}];
      if (parts.empty() || parts.back().alerts.size() >= cap) {
        parts.emplace_back();
        parts.back().type = type;
        parts.back().group_key = key;
      }
      Message& message = parts.back();
      message.alerts.push_back(event.alert);
      for (const std::string& line : event.finding_lines) {
        if (message.finding_lines.size() < kMaxLines) message.finding_lines.push_back(line);
      }
    }
  }
  std::vector<Outgoing> out;
  for (auto& [key, parts] : groups) {
    for (Message& message : parts) {
      message.id = message_id(std::get<0>(key), message, at);
      out.push_back({std::get<0>(key), std::move(message)});
    }
  }
  return out;
}

}  // namespace driftd::alerts
