// Each folder beside this file is a stream's day in small: config.yaml, input.jsonl and the
// findings that replaying it must give, expected.jsonl, line by line; where there is expected_alerts.jsonl,
// the alert lines too. With reference.jsonl a
// reference is built from that first. DRIFTD_UPDATE_SCENARIOS=1 writes expected.jsonl anew: read
// the change before committing it. inputs.py makes the inputs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/commands/commands.h"
#include "source_dir.h"
#include "tests/stats/temp_folder.h"

namespace driftd::app {
namespace {

namespace fs = std::filesystem;

const fs::path& root() {
  static const fs::path path = fs::path(DRIFTD_SOURCE_DIR) / "tests" / "scenarios";
  return path;
}

std::vector<std::string> names() {
  std::vector<std::string> out;
  for (const fs::directory_entry& e : fs::directory_iterator(root())) {
    if (fs::exists(e.path() / "config.yaml")) out.push_back(e.path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> lines_of(const fs::path& file) {
  std::ifstream in(file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// What is missing and what is new, in order, so that one line more does not shift all others.
std::string difference(const std::vector<std::string>& expected, const std::vector<std::string>& found) {
  std::ostringstream out;
  std::size_t at = 0;
  for (const std::string& line : expected) {
    const auto same = std::find(found.begin() + static_cast<std::ptrdiff_t>(at), found.end(), line);
    if (same == found.end()) {
      out << "  - " << line << "\n";
      continue;
    }
    for (; found[at] != line; ++at) out << "  + " << found[at] << "\n";
    ++at;
  }
  for (; at < found.size(); ++at) out << "  + " << found[at] << "\n";
  return out.str();
}

class Scenario : public ::testing::TestWithParam<std::string> {
 protected:
  // A copy to work in, so that paths in findings and references are the same everywhere.
  void SetUp() override {
    before_ = fs::current_path();
    fs::copy(root() / GetParam(), folder_.file("scenario"), fs::copy_options::recursive);
    fs::current_path(folder_.file("scenario"));
  }
  void TearDown() override { fs::current_path(before_); }

  TempFolder folder_;
  fs::path before_;
};

TEST_P(Scenario, FindsWhatIsExpected) {
  if (fs::exists("reference.jsonl")) {
    ReferenceBuildOptions build;
    build.config = "config.yaml";
    build.input.files = {"reference.jsonl"};
    build.alias = "production";
    ASSERT_EQ(reference_build_command(build), kExitOk);
  }
  ReplayOptions replay;
  replay.config = "config.yaml";
  replay.input.files = {"input.jsonl"};
  replay.findings = "found.jsonl";
  const fs::path alerts = root() / GetParam() / "expected_alerts.jsonl";
  if (fs::exists(alerts)) replay.alerts = "alerts.jsonl";
  ASSERT_EQ(replay_command(replay), kExitOk);
  const fs::path expected = root() / GetParam() / "expected.jsonl";
  if (std::getenv("DRIFTD_UPDATE_SCENARIOS") != nullptr) {
    fs::copy_file("found.jsonl", expected, fs::copy_options::overwrite_existing);
    if (fs::exists(alerts)) fs::copy_file("alerts.jsonl", alerts, fs::copy_options::overwrite_existing);
  }
  ASSERT_TRUE(fs::exists(expected)) << "run once with DRIFTD_UPDATE_SCENARIOS=1";
  const std::vector<std::string> want = lines_of(expected), got = lines_of("found.jsonl");
  EXPECT_EQ(want, got) << "- expected and not found, + found and not expected:\n" << difference(want, got);
  if (fs::exists(alerts)) {
    EXPECT_EQ(lines_of("alerts.jsonl"), lines_of(alerts));
  }
  // The same verdicts again: replaying changes nothing.
  replay.findings = "again.jsonl";
  ASSERT_EQ(replay_command(replay), kExitOk);
  EXPECT_EQ(lines_of("again.jsonl"), got);
}

INSTANTIATE_TEST_SUITE_P(All, Scenario, ::testing::ValuesIn(names()), [](const auto& scenario) { return scenario.param; });

}  // namespace
}  // namespace driftd::app
