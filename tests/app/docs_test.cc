// The generated pages are what the binary says now.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <sstream>

#include "app/commands/units.h"
#include "app/config/config.h"
#include "app/config/json_schema.h"
#include "app/engine/engine_reasons.h"
#include "core/finding.h"
#include "core/reject.h"
#include "exporters/metrics_doc.h"
#include "source_dir.h"

namespace driftd::app {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream file(std::string(DRIFTD_SOURCE_DIR) + "/" + path);
  std::ostringstream out;
  out << file.rdbuf();
  return out.str();
}

TEST(Docs, UnitsAreNotStale) { EXPECT_TRUE(text_of("docs/UNITS.md") == units_doc()) << "run: driftd describe units > docs/UNITS.md"; }

TEST(Docs, ConfigurationIsNotStale) {
  EXPECT_TRUE(text_of("docs/CONFIG.md") == configuration_doc()) << "run: driftd describe configuration > docs/CONFIG.md";
}

TEST(Docs, EverySectionOfAConfigurationHasAHeading) {
  const std::string page = configuration_doc();
  const auto schema = nlohmann::json::parse(json_schema());
  EXPECT_GE(schema["properties"].size(), 5U);
  for (const auto& [key, unused] : schema["properties"].items()) {
    EXPECT_TRUE(std::regex_search(page, std::regex("\n## `" + key + "[.`]"))) << key;
  }
}

TEST(Docs, TheRolesOfAFieldAreExplained) {
  for (const ParamSpec& spec : field_params()) {
    if (spec.name != "role") continue;
    for (const std::string& role : spec.choices) EXPECT_NE(spec.sentence.find(role), std::string::npos) << role;
  }
}

TEST(Docs, MetricsAreNotStale) {
  EXPECT_TRUE(text_of("docs/METRICS.md") == exporters::metrics_doc()) << "run: driftd describe metrics > docs/METRICS.md";
}

std::string row(const std::string& word, const std::string& meaning) {
  EXPECT_GT(meaning.size(), 10U) << word;
  return "| `" + word + "` | " + meaning + " |\n";
}

TEST(Docs, EveryReasonOfARejectHasItsMeaning) {
  const std::string page = exporters::metrics_doc();
  for (int i = 0; i < kRejectReasons; ++i) {
    const auto reason = static_cast<RejectReason>(i);
    EXPECT_NE(page.find(row(to_string(reason), reject_meaning(reason))), std::string::npos) << to_string(reason);
  }
}

TEST(Docs, EveryReasonOfTheEngineHasItsMeaningWithEveryCheck) {
  const std::string page = units_doc();
  std::set<std::string> words;
  for (const Reason& r : engine_reasons()) {
    EXPECT_TRUE(words.insert(r.word).second) << r.word;
    EXPECT_NE(page.find(row(r.word, r.meaning)), std::string::npos) << r.word;
  }
  for (const char* word : {"warming_up", "reference_changed", "reconfigured"}) EXPECT_EQ(words.count(word), 1U) << word;
  for (const UnitKind& kind : unit_kinds()) {
    if (kind.name != "check") continue;
    for (const Descriptor* unit : kind.units) {
      const std::string one = describe(kind, *unit);
      for (const Reason& r : engine_reasons()) EXPECT_NE(one.find(row(r.word, r.meaning)), std::string::npos) << unit->name;
      const std::size_t at = page.find("### " + unit->name + " (check)");
      EXPECT_LT(page.find("(#reasons-of-the-engine)", at), page.find("```yaml", at)) << unit->name;
    }
  }
}

// So that no reason is given that is not in that list.
TEST(Docs, NoReasonOfTheEngineIsALiteral) {
  const std::regex literal("reason = \"|none\\(\"");
  for (const char* folder : {"app/engine", "app/run"}) {
    for (const auto& entry : std::filesystem::directory_iterator(std::string(DRIFTD_SOURCE_DIR) + "/" + folder)) {
      const std::string path = folder + ("/" + entry.path().filename().string());
      EXPECT_FALSE(std::regex_search(text_of(path), literal)) << path << ": put the reason into app/engine/engine_reasons.h";
    }
  }
}

// A finding that has everything; a line has a window or a record.
Finding full_finding(bool record) {
  Finding f;
  f.id = "0123456789abcdef";
  f.stream = "pumps";
  f.segment = {"site", "north"};
  f.field = "temperature";
  f.check = "drift";
  f.reason = "drift_detected";
  f.window_start = f.window_end = 0;
  if (record) f.record_time = 0;
  f.record_source = "0:1";
  f.value = f.threshold = f.effect = f.log_evidence = f.log_threshold = 1;
  f.n = f.n_reference = 1;
  f.reference = {"pumps", 1, "00"};
  f.change_time = 0;
  f.guarantee = "exact";
  f.detail = {{"failed", "", 1}};
  return f;
}

// The text about finding lines in docs/FORMATS.md.
std::string about_finding_lines() {
  const std::string page = text_of("docs/FORMATS.md");
  const std::size_t from = page.find("- **Finding lines**");
  return from == std::string::npos ? "" : page.substr(from, page.find("\n- **", from) - from);
}

TEST(Docs, EveryKeyOfAFindingLineIsInTheFormatsInItsPlace) {
  const std::string about = about_finding_lines();
  const std::string list = about.substr(0, about.find("in this order"));
  for (const bool record : {false, true}) {
    std::string line;
    append_json(line, full_finding(record));
    std::size_t at = 0;
    const auto finding = nlohmann::ordered_json::parse(line);
    for (const auto& [key, value] : finding.items()) {
      const std::regex word("\\b" + key + "\\b");
      std::smatch found;
      const std::string rest = list.substr(at);
      ASSERT_TRUE(std::regex_search(rest, found, word)) << key << " is not in the list of docs/FORMATS.md, or not in its place";
      at += static_cast<std::size_t>(found.position()) + key.size();
      if (!value.is_object() || key == "detail") continue;
      std::string parts;
      for (const auto& [part, unused] : value.items()) parts += (parts.empty() ? " {" : ", ") + part;
      EXPECT_EQ(list.substr(at, parts.size() + 1), parts + "}") << key;
    }
  }
}

TEST(Docs, EveryDetailOfAScenariosFindingsIsInTheFormats) {
  const std::string about = about_finding_lines();
  std::set<std::string> keys;
  for (const auto& entry : std::filesystem::directory_iterator(std::string(DRIFTD_SOURCE_DIR) + "/tests/scenarios")) {
    std::ifstream lines(entry.path() / "expected.jsonl");
    for (std::string line; std::getline(lines, line);) {
      const nlohmann::json finding = nlohmann::json::parse(line);
      if (!finding.contains("detail")) continue;
      for (const auto& [key, unused] : finding["detail"].items()) keys.insert(key);
    }
  }
  EXPECT_GE(keys.size(), 15U);
  for (const std::string& key : keys) EXPECT_NE(about.find("`" + key + "`"), std::string::npos) << key;
}

// So that the section goes when what it names comes.
TEST(Docs, WhatIsNotInThisVersionIsRefused) {
  EXPECT_NE(text_of("README.md").find("docs/ARCHITECTURE.md#not-in-this-version"), std::string::npos);
  const std::string page = text_of("docs/ARCHITECTURE.md");
  const std::size_t from = page.find("## Not in this version\n");
  ASSERT_NE(from, std::string::npos);
  const std::string section = page.substr(from);
  const auto is_named = [&](const std::string& word) { EXPECT_NE(section.find(word), std::string::npos) << word; };

  const std::string commands = text_of("app/main.cc");
  for (const std::string command : {"audit", "plan", "test", "top", "dashboard", "suggest", "--report"}) {
    is_named(command);
    EXPECT_EQ(commands.find('"' + command + '"'), std::string::npos) << command;
  }
  const std::string api = text_of("exporters/api.cc");
  for (const std::string path : {"/validate", "/retrain/"}) {
    is_named(path);
    EXPECT_EQ(api.find(path), std::string::npos) << path;
  }
  ErrorList errors;
  read_config(
      "references: {store: plant}\n"
      "streams:\n"
      "  pumps:\n"
      "    from: {http: {}}\n"
      "    decode: {time: ts}\n"
      "    fields: {a: number}\n"
      "    windows: {count: 100}\n"
      "    drift: {false_alarms: 1 per 30d}\n"
      "    model: {task: binary}\n"
      "    checks: [{check: drift, field: a}]\n"
      "alerts:\n"
      "  notifiers:\n"
      "    r: {type: retrain, url: 'http://localhost:1/x', guard: {max_per_week: 2, min_clean_windows: 50, approve: true}}\n",
      "", errors);
  const std::string said = format_errors("c", errors);
  for (const char* word : {"store", "count", "drift", "model", "max_per_week", "min_clean_windows", "approve"}) {
    is_named(word);
    EXPECT_TRUE(std::regex_search(said, std::regex(std::string("[^\n]*\\b") + word + "\\b"))) << word << " is not refused:\n" << said;
  }
  EXPECT_EQ(errors.errors().size(), 8U) << said;
}

TEST(Docs, TheReadmesConfigurationIsTheMinimalOne) {
  const std::string readme = text_of("README.md");
  ErrorList errors;
  const std::size_t from = readme.find("```yaml\n") + 8;
  const Config shown = read_config(readme.substr(from, readme.find("```", from) - from), "", errors);
  EXPECT_TRUE(errors.empty()) << format_errors("README.md", errors);
  const Config minimal = read_config(text_of("configs/minimal.yaml"), "", errors);
  ASSERT_TRUE(errors.empty()) << format_errors("configs/minimal.yaml", errors);
  ASSERT_EQ(shown.streams.size(), 1U);
  EXPECT_EQ(shown.streams[0].hash, minimal.streams[0].hash);
}

TEST(Docs, TheSchemaKnowsEveryCheck) {
  const std::string schema = json_schema();
  for (const auto& unit : rules::checks().units()) {
    EXPECT_NE(schema.find("\"const\": \"" + unit.descriptor.name + "\""), std::string::npos) << unit.descriptor.name;
  }
}

}  // namespace
}  // namespace driftd::app
