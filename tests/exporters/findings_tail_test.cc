#include "exporters/findings_tail.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>

namespace driftd::exporters {
namespace {

Finding full_finding() {
  Finding f;
  f.id = "00000000000000aa";
  f.stream = "pumps";
  f.segment = {"site", "a \"quoted\" b"};
  f.field = "temperature";
  f.check = "distance";
  f.kind = FindingKind::kDrift;
  f.verdict = Verdict::kWarn;
  f.reason = "too_far";
  f.severity = Severity::kCritical;
  f.window_start = 1700000000 * kSecond;
  f.window_end = f.window_start + 5 * kMinute + 1;
  f.value = 0.1;
  f.threshold = 1e-300;
  f.n = 1000;
  f.n_reference = 0;
  f.reference = {"pumps", 3, "abc"};
  f.effect = -0.25;
  f.log_evidence = 12.5;
  f.log_threshold = 9;
  f.change_time = f.window_start + kSecond;
  f.guarantee = "none";
  f.detail = {{"closed_by", "idle", std::nullopt}, {"failed", "", 7.0}};
  return f;
}

std::string line_of(const Finding& f) {
  std::string line;
  append_json(line, f);
  return line;
}

TEST(FindingsTail, ReadsWhatIsWritten) {
  Finding record = full_finding();
  record.record_time = record.window_start;
  record.record_source = "3:77";
  Finding bare;
  bare.id = "1";
  bare.window_start = bare.window_end = 0;
  for (const Finding& f : {full_finding(), record, bare}) {
    const auto read = parse_finding(line_of(f));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(line_of(*read), line_of(f));
  }
}

TEST(FindingsTail, RefusesWhatIsNoFinding) {
  for (const char* line :
       {"", "x", "[]", "{}", R"({"id":1,"verdict":2})", R"({"id":"a","kind":"quality","verdict":"nice","severity":"info"})"}) {
    EXPECT_FALSE(parse_finding(line).has_value()) << line;
  }
}

class FindingsTailFile : public ::testing::Test {
 protected:
  void TearDown() override {
    std::remove(path_.c_str());
    std::remove((path_ + ".1").c_str());
  }
  static std::string lines(int from, int to) {
    std::string out;
    for (int i = from; i < to; ++i) {
      Finding f = full_finding();
      f.id = std::to_string(i);
      out += line_of(f) + "\n";
    }
    return out;
  }
  std::vector<std::string> ids(std::size_t most) const {
    std::vector<std::string> out;
    for (const Finding& f : newest_findings(path_, most)) out.push_back(f.id);
    return out;
  }
  std::string path_ = testing::TempDir() + "tail_" + std::to_string(getpid()) + ".jsonl";
};

TEST_F(FindingsTailFile, TakesTheNewestInTheirOrder) {
  EXPECT_TRUE(ids(10).empty()) << "there is no file";
  std::ofstream(path_) << lines(0, 3) << "garbage\n" << lines(3, 5);
  EXPECT_EQ(ids(3), (std::vector<std::string>{"2", "3", "4"}));
  EXPECT_EQ(ids(5), (std::vector<std::string>{"0", "1", "2", "3", "4"}));
  EXPECT_EQ(ids(6).size(), 5U);
}

TEST_F(FindingsTailFile, GoesOnInTheFileBefore) {
  std::ofstream(path_ + ".1") << lines(0, 3);
  std::ofstream(path_) << lines(3, 5);
  EXPECT_EQ(ids(4), (std::vector<std::string>{"1", "2", "3", "4"}));
}

TEST_F(FindingsTailFile, ReadsNoMoreThanTheTail) {
  const std::string some = lines(0, 1000);
  std::ofstream file(path_);
  for (std::size_t size = 0; size <= kTailBytes + some.size(); size += some.size()) file << some;
  file.close();
  const std::size_t n = ids(1U << 20).size();
  EXPECT_LE(n, kTailBytes * 1000 / some.size() + 1);
  EXPECT_GE(n, kTailBytes * 1000 / some.size() - 1) << "the line that is cut is left out, no other";
}

}  // namespace
}  // namespace driftd::exporters
