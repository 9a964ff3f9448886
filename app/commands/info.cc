// Commands that only tell: check, list, describe, schema, version.
#include <cstdio>
#include <iostream>

#include "app/commands/commands.h"
#include "app/commands/units.h"
#include "app/config/config.h"
#include "app/config/json_schema.h"
#include "core/text.h"
#include "exporters/metrics_doc.h"

namespace driftd::app {

int fail(const Error& error) {
  // Errors of a configuration are whole lines that start with their place.
  std::cerr << (error.message.ends_with("\n") ? "" : "driftd: ") << error.message << (error.message.ends_with("\n") ? "" : "\n");
  return error.code == ErrorCode::kInvalidArgument || error.code == ErrorCode::kNotFound ? kExitUsage : kExitFailure;
}

int check_command(const std::string& path) {
  const auto config = load_config(path);
  if (!config) {
    std::cerr << config.error().message << (config.error().message.ends_with("\n") ? "" : "\n");
    return kExitUsage;
  }
  std::size_t checks = 0;
  for (const StreamConfig& stream : config->streams) checks += stream.checks.size();
  std::cout << path << ": fine: " << config->streams.size() << " stream(s), " << checks << " check(s)\n";
  return kExitOk;
}

int list_command(const std::string& kind) {
  bool found = false;
  for (const UnitKind& k : unit_kinds()) {
    if (!kind.empty() && kind != k.name && kind != k.plural) continue;
    found = true;
    std::cout << k.plural << ": " << k.sentence << "\n";
    for (const Descriptor* unit : k.units) std::printf("  %-18s %s\n", unit->name.c_str(), unit->summary.c_str());
    std::cout << std::flush;
    std::fflush(stdout);
  }
  if (found) return kExitOk;
  return fail({ErrorCode::kInvalidArgument,
               "there is no kind of unit '" + kind + "'; there are sources, decoders, checks, distances, detectors, notifiers"});
}

int describe_command(const std::string& name) {
  if (name == "metrics") {
    std::cout << exporters::metrics_doc();
    return kExitOk;
  }
  if (name == "units") {
    std::cout << units_doc();
    return kExitOk;
  }
  if (name == "configuration") {
    std::cout << configuration_doc();
    return kExitOk;
  }
  std::vector<std::string> names;
  bool found = false;
  for (const UnitKind& kind : unit_kinds()) {
    for (const Descriptor* unit : kind.units) {
      names.push_back(unit->name);
      if (unit->name != name) continue;
      if (found) std::cout << '\n';
      found = true;
      std::cout << describe(kind, *unit);
    }
  }
  if (found) return kExitOk;
  const auto near = nearest(name, names);
  return fail(
      {ErrorCode::kInvalidArgument, "there is no unit '" + name + "'" + (near ? "; did you mean '" + *near + "'?" : "; see driftd list")});
}

int schema_command() {
  std::cout << json_schema();
  return kExitOk;
}

int version_command() {
  std::cout << "driftd " << DRIFTD_VERSION << " (" << __VERSION__ << ")\n";
  return kExitOk;
}

}  // namespace driftd::app
