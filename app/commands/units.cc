#include "app/commands/units.h"

#include "alerts/notifier.h"
#include "app/config/config.h"
#include "app/engine/engine_reasons.h"
#include "core/text.h"
#include "ingest/decoder.h"
#include "ingest/source.h"
#include "rules/check.h"
#include "stats/detector.h"
#include "stats/distance.h"

namespace driftd::app {
namespace {

template <class R>
UnitKind kind_of(const char* name, const char* plural, const char* sentence, const R& registry) {
  UnitKind kind{name, plural, sentence, {}};
  for (const auto& unit : registry.units()) kind.units.push_back(&unit.descriptor);
  return kind;
}

std::string bounds_of(const ParamSpec& spec) {
  if (!spec.choices.empty()) return join(spec.choices, " \\| ");
  std::string out;
  if (spec.min) out += ">= " + format_number(*spec.min);
  if (spec.max) out += std::string(out.empty() ? "" : ", ") + "<= " + format_number(*spec.max);
  return out;
}

void add_params(std::string& out, const std::vector<ParamSpec>& specs, const std::string& prefix) {
  for (const ParamSpec& spec : specs) {
    out += "| `" + prefix + spec.name + "` | " + to_string(spec.type) + " | " +
           (spec.required               ? "**required**"
            : spec.default_text.empty() ? ""
                                        : "`" + spec.default_text + "`") +
           " | " + bounds_of(spec) + " | " + spec.sentence + " |\n";
    add_params(out, spec.fields, prefix + spec.name + ".");
  }
}

void add_reasons(std::string& out, const std::vector<Reason>& reasons) {
  out += "| reason | meaning |\n|---|---|\n";
  for (const Reason& r : reasons) out += "| `" + r.word + "` | " + r.meaning + " |\n";
}

// The page says the engine's reasons once, and each check points there.
constexpr const char* kToEngineReasons = "Also the [reasons of the engine](#reasons-of-the-engine).\n\n";

std::string describe(const UnitKind& kind, const Descriptor& unit, const std::string& heading, const std::string& engine) {
  std::string out = heading + " " + unit.name + " (" + kind.name + ")\n\n" + unit.summary + "\n\n";
  out += "Applies to: " + unit.applies_to + ". Source: " + unit.source + "\n\n";
  if (!unit.notes.empty()) out += unit.notes + "\n\n";
  if (!unit.params.empty()) {
    out += "| parameter | type | default | bounds | meaning |\n|---|---|---|---|---|\n";
    add_params(out, unit.params, "");
    out += '\n';
  }
  if (!unit.reasons.empty()) {
    add_reasons(out, unit.reasons);
    out += '\n';
  }
  if (kind.name == "check") out += engine;
  out += "```yaml\n" + unit.example + (unit.example.ends_with("\n") ? "" : "\n") + "```\n";
  return out;
}

}  // namespace

const std::vector<UnitKind>& unit_kinds() {
  static const std::vector<UnitKind> kinds = {
      kind_of("source", "sources", "where records come from (`streams.S.from`)", ingest::sources()),
      kind_of("decoder", "decoders", "how records become rows (`streams.S.decode.format`)", ingest::decoders()),
      kind_of("check", "checks", "data unit tests (`streams.S.checks`)", rules::checks()),
      kind_of("distance", "distances", "how far a window is from the reference (`check: distance`, `metric`)", stats::distances()),
      kind_of("detector", "detectors", "change in one sequence of numbers; each is a check too", stats::detectors()),
      kind_of("notifier", "notifiers", "who is told (`alerts.notifiers`)", alerts::notifiers()),
  };
  return kinds;
}

std::string describe(const UnitKind& kind, const Descriptor& unit) {
  std::string engine = "Reasons of the engine, whatever the check:\n\n";
  add_reasons(engine, engine_reasons());
  return describe(kind, unit, "#", engine + "\n");
}

std::string configuration_doc() {
  struct Section {
    const char* where;
    const char* what;
    const std::vector<ParamSpec>& keys;
  };
  const Section sections[] = {
      {"service", "The process. What a reload cannot change needs a restart, and the reload says so.", service_params()},
      {"databases.NAME", "A named connection to a MySQL or MariaDB, for queries (`--query`) and `service.store`.", database_params()},
      {"references", "Where references are kept.", reference_params()},
      {"streams.S", "A stream. `from` and `decode` have the keys of their unit beside ([UNITS.md](UNITS.md)).", stream_params()},
      {"streams.S.decode", "How its records are read; beside these the keys of the decoder.", decode_params()},
      {"streams.S.fields.F", "A field; `F: number` is short for `F: {type: number}`.", field_params()},
      {"streams.S.windows", "Its windows of event time.", window_params()},
      {"streams.S.checks[]", "Every check takes these, beside its own ([UNITS.md](UNITS.md)).", rules::common_params()},
      {"alerts", "When alerts fire, and who is told; notifiers are units ([UNITS.md](UNITS.md)).", alerts::alert_params()},
      {"alerts.routes[]", "Who is told of which alerts; without routes everybody of all.", alerts::route_params()},
      {"alerts.routes[].match", "All that are given must match; of a list one.", alerts::match_params()},
  };
  std::string out =
      "# Configuration\n\nMade by `driftd describe configuration` from the tables that validate it; do not edit. A test fails when this "
      "page is "
      "stale.\n\nYAML. Unknown keys are errors. Durations are `30s`, `5m`, `1h`, `7d`, sizes `64KiB`, `1GiB`. `${VAR}`, `${VAR:-default}` "
      "and "
      "`${VAR:?message}` in values are replaced from the environment. `driftd check FILE` says everything that is wrong, `driftd schema` "
      "prints the "
      "JSON Schema.\n";
  for (const Section& s : sections) {
    out += std::string("\n## `") + s.where + "`\n\n" + s.what + "\n\n| key | type | default | bounds | meaning |\n|---|---|---|---|---|\n";
    add_params(out, s.keys, "");
  }
  return out;
}

std::string units_doc() {
  std::string out =
      "# Units\n\nMade by `driftd describe units` from the units' own descriptors; do not edit. "
      "A test fails when this page is stale.\n";
  for (const UnitKind& kind : unit_kinds()) {
    out += "\n## " + kind.plural + ": " + kind.sentence + "\n";
    if (kind.name == "check") {
      out += "\nEvery check also takes:\n\n| parameter | type | default | bounds | meaning |\n|---|---|---|---|---|\n";
      add_params(out, rules::common_params(), "");
      out += "\n### Reasons of the engine\n\nGiven without asking a check (`no_verdict`), beside each check's own:\n\n";
      add_reasons(out, engine_reasons());
    }
    for (const Descriptor* unit : kind.units) out += "\n" + describe(kind, *unit, "###", kToEngineReasons);
  }
  return out;
}

}  // namespace driftd::app
