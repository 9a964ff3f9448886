#include "alerts/alert_book.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "alerts/alert_codec.h"
#include "core/hash.h"
#include "core/segment_id.h"
#include "core/text.h"

namespace driftd::alerts {
namespace {

constexpr std::size_t kMaxLines = 8;    // finding lines kept of a window
constexpr std::size_t kMaxChecks = 32;  // distinct failing checks kept of an alert
constexpr std::size_t kNameShown = 64;  // bytes of a name from outside in a summary

const char* const kOverflow = "overflow";
constexpr std::array kSeverities = {Severity::kInfo, Severity::kWarning, Severity::kCritical};

std::uint8_t bit(Severity severity) { return static_cast<std::uint8_t>(1U << static_cast<unsigned>(severity)); }

bool contains(const std::vector<CheckName>& checks, const CheckName& check) {
  return std::find(checks.begin(), checks.end(), check) != checks.end();
}

void add_check(std::vector<CheckName>& checks, const CheckName& check) {
  if (checks.size() < kMaxChecks && !contains(checks, check)) checks.push_back(check);
}

// Appends and keeps the newest `cap`.
void push_newest(std::vector<std::string>& list, std::string text, std::size_t cap) {
  if (list.size() >= cap) list.erase(list.begin());
  list.push_back(std::move(text));
}

// Four digits are enough for people, unless two numbers would look the same.
std::string short_number(double v) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", v);
  return text.data();
}

// "in_range of temperature fails (above_max: 0.12 > 0.01)".
std::string in_words(const Finding& f) {
  std::string out = f.check;
  if (!f.field.empty()) out += " of " + excerpt(f.field, kNameShown);
  out += " fails";
  std::string why = f.reason;
  if (f.value) {
    if (!why.empty()) why += ": ";
    const bool same = f.threshold && *f.value != *f.threshold && short_number(*f.value) == short_number(*f.threshold);
    const auto shown = same ? format_number : short_number;
    why += shown(*f.value);
    if (f.threshold) {
      why += *f.value > *f.threshold ? " > " : *f.value < *f.threshold ? " < " : " = ";
      why += shown(*f.threshold);
    }
  }
  return why.empty() ? out : out + " (" + why + ")";
}

std::string count_of(std::uint64_t n, const std::string& thing) { return std::to_string(n) + " " + thing + (n == 1 ? "" : "s"); }

// The one alert for what is over the cap.
bool is_overflow(const Alert& alert) { return alert.segment.by == kOverflow && alert.segment.value.empty(); }

// "pumps", "pumps site=a".
std::string place(const Alert& alert) {
  if (alert.segment.value.empty()) return alert.stream;
  return alert.stream + " " + alert.segment.by + "=" + excerpt(alert.segment.value, kNameShown);
}

Scope scope_of(std::uint8_t severities, const std::vector<CheckName>& checks, std::size_t n) {
  return {severities, {checks.begin(), checks.begin() + static_cast<std::ptrdiff_t>(n)}};
}

}  // namespace

std::string fingerprint(const Alert& a) {
  std::string labels;
  for (const std::string_view part : {std::string_view(a.stream), std::string_view(a.segment.by), std::string_view(a.segment.value),
                                      std::string_view(to_string(a.kind)), std::string_view(a.check), std::string_view(a.field)}) {
    labels += part;
    labels += '\0';
  }
  return hex64(hash64(labels));
}

AlertBook::Key AlertBook::key_of(const Finding& f) const {
  return {f.segment, f.kind, rules_.by_check ? f.check : "", rules_.by_field ? f.field : ""};
}

AlertBook::Entry* AlertBook::entry_for(StreamAlerts& stream, const Finding& f) {
  Key key = key_of(f);
  auto it = stream.entries.find(key);
  if (it != stream.entries.end()) return &it->second;
  if (stream.entries.size() >= rules_.max_alerts) {
    key = {Segment{kOverflow, ""}, FindingKind::kQuality, "", ""};
  }
  Entry& entry = stream.entries[key];
  if (entry.alert.stream.empty()) {
    entry.alert.stream = f.stream;
    std::tie(entry.alert.segment, entry.alert.kind, entry.alert.check, entry.alert.field) = key;
    entry.alert.fingerprint = fingerprint(entry.alert);
    entry.alert.severity = Severity::kInfo;
  }
  return &entry;
}

void AlertBook::take(const Finding& f) {
  if (f.verdict == Verdict::kFail) return collect(entry_for(streams_[f.stream], f)->window, f);
  if (f.verdict != Verdict::kNoVerdict) return;
  const auto stream = streams_.find(f.stream);
  if (stream == streams_.end()) return;
  const auto it = stream->second.entries.find(key_of(f));
  if (it == stream->second.entries.end()) return;
  if (contains(it->second.checks, {f.check, f.field})) it->second.window.unjudged = true;
}

void AlertBook::collect(OpenWindow& w, const Finding& f) {
  if (!w.bad || f.severity > w.severity) {
    w.severity = f.severity;
    w.lead = in_words(f);
  }
  w.start = w.bad ? std::min(w.start, f.window_start) : f.window_start;
  w.bad = true;
  w.at_once = w.at_once || f.record_time.has_value();
  push_newest(w.ids, f.id, kMaxFindingIds);
  std::string line;
  append_json(line, f);
  push_newest(w.lines, std::move(line), kMaxLines);
  add_check(w.checks, {f.check, f.field});
}

void AlertBook::mark_judged(StreamAlerts& stream, const std::vector<std::uint64_t>& judged) {
  if (stream.entries.empty()) return;
  std::vector<std::pair<std::uint64_t, Entry*>> open;
  for (auto& [key, entry] : stream.entries) {
    const std::string& by = entry.alert.segment.by;
    const bool has_windows = stream.levels.empty() || std::find(stream.levels.begin(), stream.levels.end(), by) != stream.levels.end();
    entry.window.judged = is_overflow(entry.alert) || (entry.of_records && !has_windows);
    if (!entry.window.judged) open.emplace_back(segment_id(entry.alert.segment), &entry);
  }
  std::sort(open.begin(), open.end());
  for (const std::uint64_t id : judged) {
    auto it = std::lower_bound(open.begin(), open.end(), std::pair(id, static_cast<Entry*>(nullptr)));
    for (; it != open.end() && it->first == id; ++it) it->second->window.judged = true;
  }
}

void AlertBook::close(const std::string& name, Time end, const std::vector<std::uint64_t>& judged, std::vector<AlertEvent>& out) {
  StreamAlerts& stream = streams_[name];
  stream.closed = end;
  mark_judged(stream, judged);
  for (auto it = stream.entries.begin(); it != stream.entries.end();) {
    Entry& entry = it->second;
    const OpenWindow& w = entry.window;
    if (w.bad || w.unjudged || w.judged || entry.heard == kNoTime) entry.heard = end;
    bool over = false;
    if (w.bad) {
      on_bad(entry, end, out);
    } else if (w.judged && !w.unjudged) {
      over = on_good(entry, end, out);
    } else {
      over = on_silence(entry, end, out);
    }
    entry.window = OpenWindow();
    it = over ? stream.entries.erase(it) : std::next(it);
  }
}

void AlertBook::on_bad(Entry& entry, Time end, std::vector<AlertEvent>& out) const {
  Alert& alert = entry.alert;
  OpenWindow& w = entry.window;
  entry.good = 0;
  entry.of_records = entry.of_records || w.at_once;
  if (entry.bad == 0) alert.starts_at = w.start;
  ++entry.bad;
  alert.last_seen = end;
  alert.severity = std::max(alert.severity, w.severity);
  for (std::string& id : w.ids) push_newest(alert.findings, std::move(id), kMaxFindingIds);
  for (const CheckName& check : w.checks) add_check(entry.checks, check);
  alert.summary = summary(entry);
  if (alert.state == AlertState::kPending) {
    if (entry.bad < rules_.for_windows && !w.at_once) return;
    alert.state = AlertState::kFiring;
    return emit(AlertEvent::Type::kFiring, entry, end, out);
  }
  const bool grew = entry.checks.size() > entry.told_checks;
  const bool worse = (entry.told_severities & bit(alert.severity)) == 0;
  if (grew || worse) emit(AlertEvent::Type::kUpdated, entry, end, out);
}

bool AlertBook::on_good(Entry& entry, Time end, std::vector<AlertEvent>& out) const {
  if (entry.alert.state == AlertState::kPending) return true;
  if (++entry.good < rules_.for_windows) return false;
  resolve(entry, end, "is well again", out);
  return true;
}

// True when the segment has been silent for so long that nobody should wait for it.
bool AlertBook::on_silence(Entry& entry, Time end, std::vector<AlertEvent>& out) {
  if (end < entry.heard + kSilence) return false;
  if (entry.alert.state == AlertState::kFiring) {
    resolve(entry, end, "ends unknown, nothing was heard for " + format_duration(kSilence) + ",", out);
  }
  return true;
}

void AlertBook::resolve(Entry& entry, Time at, const std::string& how, std::vector<AlertEvent>& out) {
  entry.alert.state = AlertState::kResolved;
  entry.alert.ends_at = at;
  entry.alert.summary = place(entry.alert) + ": " + to_string(entry.alert.kind) + " " + how + " after " + count_of(entry.bad, "bad window");
  entry.window = OpenWindow();
  emit(AlertEvent::Type::kResolved, entry, at, out);
}

void AlertBook::emit(AlertEvent::Type type, Entry& entry, Time at, std::vector<AlertEvent>& out) {
  const Scope told = scope_of(entry.told_severities, entry.checks, entry.told_checks);
  entry.told_severities |= bit(entry.alert.severity);
  entry.told_checks = static_cast<std::uint32_t>(entry.checks.size());
  Scope scope = scope_of(entry.told_severities, entry.checks, entry.told_checks);
  out.push_back({type, entry.alert, at, std::move(scope), told, std::move(entry.window.lines)});
}

std::string AlertBook::summary(const Entry& entry) const {
  std::string out = place(entry.alert) + ": ";
  if (is_overflow(entry.alert)) {
    out += "more than " + count_of(rules_.max_alerts, "alert") + ", others not told one by one: ";
  }
  out += entry.window.lead;
  const std::size_t others = entry.window.checks.size() - 1;
  if (others > 0) out += " and " + count_of(others, "more check");
  return out + ", " + count_of(entry.bad, "window");
}

void AlertBook::forget(const std::string& name, std::vector<AlertEvent>& out) {
  const auto it = streams_.find(name);
  if (it == streams_.end()) return;
  for (auto& [key, entry] : it->second.entries) {
    if (entry.alert.state != AlertState::kFiring) continue;
    resolve(entry, it->second.closed, "ends unknown, the stream is no longer configured,", out);
  }
  streams_.erase(it);
}

std::vector<std::string> AlertBook::streams() const {
  std::vector<std::string> out;
  for (const auto& [name, stream] : streams_) out.push_back(name);
  return out;
}

Time AlertBook::closed(const std::string& stream) const {
  const auto it = streams_.find(stream);
  return it == streams_.end() ? kNoTime : it->second.closed;
}

template <class Gone>
void AlertBook::end_if(StreamAlerts& stream, const std::string& why, Gone gone, std::vector<AlertEvent>& out) {
  for (auto it = stream.entries.begin(); it != stream.entries.end();) {
    Entry& entry = it->second;
    const bool over = !is_overflow(entry.alert) && gone(entry);
    if (over && entry.alert.state == AlertState::kFiring) {
      resolve(entry, stream.closed, "ends unknown, " + why + ",", out);
    }
    it = over ? stream.entries.erase(it) : std::next(it);
  }
}

void AlertBook::configure(const std::string& name, Judged judged, std::vector<AlertEvent>& out) {
  StreamAlerts& stream = streams_[name];
  const auto gone = [&](const Entry& entry) {
    const std::string& by = entry.alert.segment.by;
    const bool has_windows = std::find(judged.levels.begin(), judged.levels.end(), by) != judged.levels.end();
    if (!has_windows && !entry.of_records && !entry.window.at_once) return true;
    // A window that is still open counts too: what it has found is about checks of before as well.
    const auto known = [&](const CheckName& check) { return contains(judged.checks, check); };
    return std::none_of(entry.checks.begin(), entry.checks.end(), known) &&
           std::none_of(entry.window.checks.begin(), entry.window.checks.end(), known);
  };
  end_if(stream, "its checks are no longer configured", gone, out);
  stream.levels = std::move(judged.levels);
}

void AlertBook::set_rules(AlertRules rules, std::vector<AlertEvent>& out) {
  rules_ = rules;
  const auto regrouped = [&](const Entry& entry) {
    const std::vector<CheckName>& checks = entry.checks.empty() ? entry.window.checks : entry.checks;
    return std::any_of(checks.begin(), checks.end(), [&](const CheckName& c) {
      return entry.alert.check != (rules.by_check ? c.check : "") || entry.alert.field != (rules.by_field ? c.field : "");
    });
  };
  for (auto& [name, stream] : streams_) end_if(stream, "alerts are grouped in another way now", regrouped, out);
}

std::vector<Alert> AlertBook::alerts() const {
  std::vector<Alert> out;
  for (const auto& [name, stream] : streams_) {
    for (const auto& [key, entry] : stream.entries) {
      if (entry.bad > 0) out.push_back(entry.alert);
    }
  }
  return out;
}

std::vector<ActiveAlert> AlertBook::firing() const {
  std::vector<ActiveAlert> out;
  for (const auto& [name, stream] : streams_) {
    for (const auto& [key, entry] : stream.entries) {
      if (entry.alert.state != AlertState::kFiring) continue;
      out.push_back({entry.alert, scope_of(entry.told_severities, entry.checks, entry.told_checks)});
    }
  }
  return out;
}

void AlertBook::publish(Telemetry& telemetry) const {
  for (const auto& [name, stream] : streams_) {
    std::map<std::pair<Severity, AlertState>, double> counts;
    for (const Severity s : kSeverities) counts[{s, AlertState::kPending}] = counts[{s, AlertState::kFiring}] = 0;
    for (const auto& [key, entry] : stream.entries) {
      if (entry.bad > 0) ++counts[{entry.alert.severity, entry.alert.state}];
    }
    for (const auto& [key, n] : counts) {
      telemetry.series(Metric::kAlerts, {name, to_string(key.first), to_string(key.second)}).set(n);
    }
  }
}

void AlertBook::unpublish(Telemetry& telemetry, const std::string& stream) {
  for (const Severity s : kSeverities) {
    for (const AlertState state : {AlertState::kPending, AlertState::kFiring}) {
      telemetry.remove(Metric::kAlerts, {stream, to_string(s), to_string(state)});
    }
  }
}

}  // namespace driftd::alerts
