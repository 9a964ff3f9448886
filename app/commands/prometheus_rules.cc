// driftd rules prometheus: a Prometheus rule file for one configuration, with a rule for each check.
#include <algorithm>
#include <iostream>
#include <set>

#include "app/commands/commands.h"
#include "app/config/config.h"
#include "core/text.h"

namespace driftd::app {
namespace {

constexpr Duration kShortestRange = 5 * kMinute;

// JSON strings are YAML strings.
std::string quoted(const std::string& text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

struct Rule {
  std::string alert, expr;
  Duration hold = 0;
  std::string severity, summary, description;
};

void print(const Rule& rule) {
  std::cout << "      - alert: " << rule.alert << "\n        expr: " << quoted(rule.expr) << "\n";
  if (rule.hold > 0) std::cout << "        for: " << rule.hold / kSecond << "s\n";
  std::cout << "        labels: {severity: " << rule.severity << "}\n        annotations:\n          summary: " << quoted(rule.summary)
            << "\n          description: " << quoted(rule.description) << "\n";
}

void print_flow(const StreamConfig& stream) {
  const std::string of = "{stream=" + quoted(stream.name) + "}";
  const WindowConfig& w = stream.windows;
  print({"DriftdSourceDown", "driftd_source_up" + of + " == 0", 5 * kMinute, "critical",
         "The " + stream.source + " source of " + stream.name + " is down.",
         "driftd keeps trying. GET /-/ready says what is missing, the log why the server refuses."});
  // A window is judged at the latest when the next one is over and the partition counts as idle.
  const Duration late = 2 * w.size + w.lateness + w.idle;
  print({"DriftdWindowsLate", "driftd_window_delay_seconds" + of + " > " + format_number(to_seconds(late)), w.size, "warning",
         "Windows of " + stream.name + " are judged {{ $value | humanizeDuration }} after their end.",
         "Expected are at most " + format_duration(late) + ". Look at driftd_source_lag and at the clocks of the producers."});
  print({"DriftdRejects",
         "sum by (job, instance, stream) (rate(driftd_records_total{stream=" + quoted(stream.name) +
             ",result=\"rejected\"}[10m])) / sum by (job, instance, stream) (rate(driftd_records_total{stream=" + quoted(stream.name) +
             ",result=~\"accepted|rejected\"}[10m])) > 0.01",
         10 * kMinute, "warning", "{{ $value | humanizePercentage }} of the records of " + stream.name + " cannot be decoded.",
         "driftd_rejects_total says why; the quarantine has examples."});
}

// Has the check a verdict that lasts a window? What is said of sensors and of records, which have no series of
// their own, is only counted.
bool has_verdict(const StreamConfig& stream, const CheckConfig& check, bool detector) {
  const auto& by = check.by;
  return !detector && std::any_of(stream.windows.levels.begin(), stream.windows.levels.end(), [&](const Level& level) {
    return level.kind != Level::Kind::kSensor && (by.empty() || std::find(by.begin(), by.end(), level.by) != by.end());
  });
}

void print_check(const StreamConfig& stream, const CheckConfig& check, bool detector, Duration hold) {
  const std::string field = check.field < 0 ? "" : stream.schema.fields[static_cast<std::size_t>(check.field)].name;
  std::string of = "{stream=" + quoted(stream.name) + ",check=" + quoted(check.name);
  if (!field.empty()) of += ",field=" + quoted(field);
  if (!has_verdict(stream, check, detector)) {
    // Long enough to last from one window's findings to the next one's.
    const Duration range = std::max(kShortestRange, 2 * stream.windows.slide);
    print({"DriftdCheckFailing", "increase(driftd_check_failures_total" + of + "}[" + std::to_string(range / kSecond) + "s]) > 0", 0,
           to_string(check.severity),
           "Check " + check.name + (field.empty() ? "" : " of " + field) + " fails on sensors of " + stream.name + ".",
           "GET /api/v1/findings?stream=" + stream.name + "&verdict=fail says which and has the evidence."});
    return;
  }
  print({"DriftdCheckFailing", "driftd_check_verdict" + of + "} == 2", hold, to_string(check.severity),
         "Check " + check.name + (field.empty() ? "" : " of " + field) + " fails on {{ $labels.segment }} of " + stream.name + ".",
         "GET /api/v1/findings?stream=" + stream.name + "&verdict=fail has the evidence."});
}

}  // namespace

int prometheus_rules_command(const std::string& path) {
  const auto config = load_config(path);
  if (!config) return fail(config.error());
  std::cout << "# Made by driftd rules prometheus. Rules that do not depend on a configuration are in\n"
               "# configs/prometheus/driftd.rules.yml.\ngroups:\n";
  for (const StreamConfig& stream : config->streams) {
    std::cout << "  - name: " << quoted("driftd-" + stream.name) << "\n    rules:\n";
    print_flow(stream);
    const Duration hold = static_cast<Duration>(config->alerts.rules.for_windows - 1) * stream.windows.slide;
    std::set<std::pair<std::string, int>> known;  // checks that share name and field share their series
    for (const CheckConfig& check : stream.checks) {
      if (!known.emplace(check.name, check.field).second) continue;
      // The configuration was loaded, so the check can be made.
      const auto made = check.unit->make.make(check.params, {&stream.schema, check.field, nullptr, stream.windows.size});
      print_check(stream, check, made && (*made)->judges_records(), hold);
    }
  }
  return kExitOk;
}

}  // namespace driftd::app
