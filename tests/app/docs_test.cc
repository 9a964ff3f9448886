// The generated pages are what the binary says now.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>

#include "app/commands/units.h"
#include "app/config/config.h"
#include "app/config/json_schema.h"
#include "app/engine/engine_reasons.h"
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
