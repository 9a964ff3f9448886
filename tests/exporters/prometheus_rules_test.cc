// The alert rules in configs/prometheus: known metrics and labels only, each rule tested in both
// directions, and what promtool says about them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "source_dir.h"
#include "tests/exporters/promql_for_test.h"

namespace driftd::exporters {
namespace {

const std::string kFolder = std::string(DRIFTD_SOURCE_DIR) + "/configs/prometheus/";

std::string read(const std::string& name) {
  std::ifstream in(kFolder + name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

std::set<std::string> all_matches(const std::string& text, const char* pattern) {
  std::set<std::string> out;
  const std::regex regex(pattern);
  for (std::sregex_iterator it(text.begin(), text.end(), regex), end; it != end; ++it) {
    out.insert((*it)[1]);
  }
  return out;
}

// Runs promtool in the folder of the rules; its exit status, with what it printed.
std::pair<int, std::string> promtool(const std::string& arguments) {
  FILE* pipe = popen(("cd '" + kFolder + "' && promtool " + arguments + " 2>&1").c_str(), "r");
  std::string output;
  std::array<char, 4096> chunk{};
  while (std::size_t n = std::fread(chunk.data(), 1, chunk.size(), pipe)) output.append(chunk.data(), n);
  return {pclose(pipe), output};
}

bool have_promtool() { return std::system("command -v promtool >/dev/null 2>&1") == 0; }

TEST(PrometheusRules, EveryAlertIsTestedAndExplained) {
  const std::string rules = read("driftd.rules.yml");
  const auto alerts = all_matches(rules, "- alert: (\\w+)");
  EXPECT_GE(alerts.size(), 20U);
  EXPECT_EQ(alerts, all_matches(read("driftd.rules.test.yml"), "- name: (\\w+)"));
  EXPECT_EQ(alerts, all_matches(read("driftd.rules.test.yml"), "alertname=\"(\\w+)\""));
  for (const char* part : {"\n        expr:", "\n          summary: ", "\n          description: ", "labels: {severity: "}) {
    std::size_t n = 0;
    for (std::size_t at = rules.find(part); at != std::string::npos; at = rules.find(part, at + 1)) ++n;
    EXPECT_EQ(n, alerts.size()) << part;
  }
}

TEST(PrometheusRules, NameOnlyMetricsAndLabelsThatExist) {
  const std::string rules = read("driftd.rules.yml");
  const std::regex expression("\n        expr: (\\|\n(?:          .*\n)+|.*)");
  int seen = 0;
  for (std::sregex_iterator it(rules.begin(), rules.end(), expression), end; it != end; ++it, ++seen) {
    EXPECT_EQ(unknown_in_query((*it)[1]), "") << (*it)[1];
  }
  EXPECT_GE(seen, 20);
}

TEST(PrometheusRules, PromtoolAcceptsThem) {
  if (!have_promtool()) GTEST_SKIP() << "no promtool here";
  for (const char* command : {"check rules --lint-fatal driftd.rules.yml", "check config prometheus.yml"}) {
    const auto [status, output] = promtool(command);
    EXPECT_EQ(status, 0) << command << "\n" << output;
  }
}

TEST(PrometheusRules, FireWhenTheyMustAndOnlyThen) {
  if (!have_promtool()) GTEST_SKIP() << "no promtool here";
  const auto [status, output] = promtool("test rules driftd.rules.test.yml");
  EXPECT_EQ(status, 0) << output;
}

}  // namespace
}  // namespace driftd::exporters
