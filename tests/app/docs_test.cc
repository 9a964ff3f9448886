// The generated pages are what the binary says now.
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "app/commands/units.h"
#include "app/config/config.h"
#include "app/config/json_schema.h"
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
