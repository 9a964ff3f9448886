// The include rule of docs/ARCHITECTURE.md and the sizes of CONTRIBUTING.md, held by reading the sources.
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

const std::map<std::string, std::set<std::string>> kMaySee = {
    {"core", {}},
    {"ingest", {"core"}},
    {"stats", {"core"}},
    {"rules", {"core", "stats"}},
    {"alerts", {"core"}},
    {"exporters", {"core"}},
    {"app", {"core", "ingest", "stats", "rules", "alerts", "exporters"}},
};

struct Source {
  std::string folder;
  fs::path path;
  std::vector<std::string> lines;
};

std::vector<Source> sources() {
  std::vector<Source> out;
  const fs::path root = DRIFTD_SOURCE_DIR;
  for (const auto& [folder, seen] : kMaySee) {
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      const std::string extension = entry.path().extension();
      if (extension != ".h" && extension != ".cc") continue;
      Source source{folder, fs::relative(entry.path(), root), {}};
      std::ifstream file(entry.path());
      for (std::string line; std::getline(file, line);) source.lines.push_back(line);
      out.push_back(std::move(source));
    }
  }
  return out;
}

TEST(Architecture, FoldersIncludeOnlyWhatTheyMay) {
  const std::regex include("^#include \"([a-z]+)/.*");
  int seen = 0;
  for (const Source& source : sources()) {
    for (const std::string& line : source.lines) {
      std::smatch match;
      if (!std::regex_match(line, match, include)) continue;
      ++seen;
      const std::string target = match[1];
      EXPECT_TRUE(target == source.folder || kMaySee.at(source.folder).count(target) == 1) << source.path << ": " << line;
    }
  }
  EXPECT_GT(seen, 100);
}

TEST(Architecture, ThirdPartyHeadersStayOutOfOurHeaders) {
  const std::regex third_party(
      "^#include "
      "<(simdjson|nlohmann|spdlog|fmt|yaml-cpp|librdkafka|mosquitto|prometheus|sqlite3|curl|openssl|Eigen|boost|re2|mysql|CLI|zstd).*");
  for (const Source& source : sources()) {
    if (source.path.extension() != ".h") continue;
    for (const std::string& line : source.lines) {
      EXPECT_FALSE(std::regex_match(line, third_party)) << source.path << ": " << line;
    }
  }
}

TEST(Architecture, FilesAreSmall) {
  for (const Source& source : sources()) {
    const std::size_t limit = source.path.extension() == ".h" ? 250 : 400;
    EXPECT_LE(source.lines.size(), limit) << source.path;
  }
}

TEST(Architecture, EveryMetricIsMadeSomewhere) {
  const std::regex row("^METRIC\\((k[A-Za-z]+), .*");
  std::ifstream list(fs::path(DRIFTD_SOURCE_DIR) / "core" / "telemetry.def");
  std::set<std::string> unused;
  for (std::string line; std::getline(list, line);) {
    std::smatch match;
    if (std::regex_match(line, match, row)) unused.insert(match[1]);
  }
  ASSERT_GT(unused.size(), 40U);
  const std::regex use("(case +)?Metric::(k[A-Za-z]+)");  // a case only asks
  for (const Source& source : sources()) {
    for (const std::string& line : source.lines) {
      for (std::sregex_iterator it(line.begin(), line.end(), use), end; it != end; ++it) {
        if (!(*it)[1].matched) unused.erase((*it)[2]);
      }
    }
  }
  for (const std::string& metric : unused) ADD_FAILURE() << metric << " is in core/telemetry.def, but nobody sets it";
}

TEST(Architecture, ThreadsAreStartedInAppOnly) {
  const std::regex thread("std::(thread|jthread|async)\\b");
  for (const Source& source : sources()) {
    if (source.folder == "app") continue;
    for (const std::string& line : source.lines) {
      EXPECT_FALSE(std::regex_search(line, thread)) << source.path << ": " << line;
    }
  }
}

}  // namespace
