// Tests mirror the sources: every .cc has a test of its name or one that includes its header. The few that
// have neither name the test that runs them.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "source_dir.h"

namespace {

namespace fs = std::filesystem;

const fs::path kRoot = DRIFTD_SOURCE_DIR;

// Source -> test. What needs a server, a terminal or a whole process is run from the outside, and parts
// of one thing are tested through that thing.
const std::map<std::string, std::string> kTestedThrough = {
    {"alerts/alert_codec.cc", "tests/alerts/outbox_test.cc"},
    {"alerts/notifier_registry.cc", "tests/alerts/notifier_conformance_test.cc"},
    {"alerts/webhook_sender.cc", "tests/alerts/webhook_notifier_test.cc"},
    {"app/commands/embedded_kafka.cc", "scripts/demo"},
    {"app/commands/input.cc", "tests/e2e/test_replay.py"},
    {"app/commands/quarantine.cc", "tests/e2e/test_quarantine.py"},
    {"app/commands/store_files.cc", "tests/e2e/test_damaged_stores.py"},
    {"app/engine/judge.cc", "tests/app/stream_engine_test.cc"},
    {"app/engine/plan.cc", "tests/app/stream_engine_test.cc"},
    {"app/config/check_reader.cc", "tests/app/config_test.cc"},
    {"app/config/stream_reader.cc", "tests/app/config_test.cc"},
    {"app/config/database_connection.cc", "tests/e2e/test_mysql_reference.py"},
    {"app/run/checkpoint_store.cc", "tests/app/sqlite_store_test.cc"},
    {"app/run/service_sharing.cc", "tests/e2e/test_shared_store.py"},
    {"app/run/stream_sharing.cc", "tests/e2e/test_shared_store.py"},
    {"app/run/reject_keeper.cc", "tests/e2e/test_quarantine.py"},
    {"app/run/stream_assignment.cc", "tests/app/service_test.cc"},
    {"app/run/stream_runtime.cc", "tests/app/service_test.cc"},
    {"app/run/stream_back_pressure.cc", "tests/app/silent_partition_test.cc"},
    {"app/run/stream_leaving.cc", "tests/e2e/test_reload.py"},
    {"app/run/stream_silence.cc", "tests/app/silent_partition_test.cc"},
    {"core/unit_problems.cc", "tests/app/try_units_test.cc"},
    {"exporters/api_query.cc", "tests/exporters/api_test.cc"},
    {"exporters/http_connection.cc", "tests/exporters/http_server_test.cc"},
    {"ingest/gate_sender.cc", "tests/e2e/test_gate.py"},
    {"ingest/kafka_assignment.cc", "tests/ingest/kafka_source_test.cc"},
    {"ingest/kafka_client.cc", "tests/ingest/kafka_source_test.cc"},
    {"ingest/kafka_ends.cc", "tests/ingest/kafka_source_test.cc"},
    {"ingest/kafka_consumer_options.cc", "tests/ingest/kafka_source_test.cc"},
    {"ingest/kafka_transaction.cc", "tests/e2e/test_gate.py"},
    {"rules/expression_parser.cc", "tests/rules/expression_test.cc"},
    {"stats/mysql_rows.cc", "tests/e2e/test_mysql_reference.py"},
};

// Paths of our own files that a file includes, in order.
std::vector<std::string> includes_of(const fs::path& path) {
  static const std::regex include("^#include \"([a-z_]+/[^\"]+)\".*");
  std::vector<std::string> out;
  std::ifstream file(path);
  std::smatch match;
  for (std::string line; std::getline(file, line);) {
    if (std::regex_match(line, match, include)) out.push_back(match[1]);
  }
  return out;
}

std::set<std::string> included_by_tests() {
  std::set<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "tests")) {
    const std::string extension = entry.path().extension();
    if (extension != ".cc" && extension != ".h") continue;
    for (const std::string& path : includes_of(entry.path())) out.insert(path);
  }
  return out;
}

// The .h of the same name; of a part of something larger (N_codec.cc) the first header of ours.
std::string header_of(const fs::path& source) {
  const fs::path same = fs::path(source).replace_extension(".h");
  if (fs::exists(kRoot / same)) return same.string();
  const auto includes = includes_of(kRoot / source);
  return includes.empty() ? "" : includes.front();
}

// A test of the same name; units carry their kind in it.
bool has_test(const fs::path& source) {
  const std::string folder = source.begin()->string();
  for (const char* kind : {"", "_source", "_decoder", "_notifier"}) {
    const std::string name = source.stem().string() + kind + "_test.cc";
    if (fs::exists(kRoot / "tests" / folder / name)) return true;
  }
  return false;
}

std::vector<fs::path> sources() {
  std::vector<fs::path> out;
  for (const char* folder : {"core", "ingest", "stats", "rules", "alerts", "exporters", "app"}) {
    for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
      if (entry.path().extension() == ".cc") out.push_back(fs::relative(entry.path(), kRoot));
    }
  }
  return out;
}

TEST(Mirror, EverySourceHasATest) {
  const auto tested = included_by_tests();
  EXPECT_GT(tested.size(), 50U);
  for (const fs::path& source : sources()) {
    // Commands are what a user calls; tests/e2e calls them so.
    if (source == "app/main.cc" || header_of(source) == "app/commands/commands.h") continue;
    if (has_test(source) || tested.count(header_of(source)) == 1) continue;
    EXPECT_EQ(kTestedThrough.count(source.string()), 1U)
        << source << ": no tests/" << source.begin()->string() << "/" << source.stem().string() << "_test.cc, and no test includes "
        << header_of(source);
  }
}

TEST(Mirror, ExceptionsAreOfFilesThatExist) {
  for (const auto& [source, test] : kTestedThrough) {
    EXPECT_TRUE(fs::exists(kRoot / source)) << source;
    EXPECT_TRUE(fs::exists(kRoot / test)) << test;
  }
}

}  // namespace
