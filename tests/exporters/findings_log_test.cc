#include "exporters/findings_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "tests/disk.h"
#include "tests/exporters/findings_for_test.h"
#include "tests/full_disk.h"

namespace driftd::exporters {
namespace {

namespace fs = std::filesystem;

std::string read(const fs::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

void write(const fs::path& path, const std::string& text) { std::ofstream(path) << text; }

std::string line(int number) {
  std::string out;
  append_json(out, finding(number));
  return out + "\n";
}

class FindingsLogTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(::testing::TempDir()) /
              ("driftd_log_" + std::to_string(getpid()) + ::testing::UnitTest::GetInstance()->current_test_info()->name());
    fs::remove_all(folder_);
    fs::create_directories(folder_);
    options_.path = folder_ / "findings.jsonl";
    older_ = options_.path + ".1";
    state_ = options_.path + ".state";
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::unique_ptr<FindingsLog> open() {
    auto log = FindingsLog::open(options_, &telemetry_);
    EXPECT_TRUE(log.ok()) << log.error().message;
    return log.ok() ? std::move(log).value() : nullptr;
  }
  void append(FindingsLog& log, int from, int to) {
    for (int i = from; i < to; ++i) ASSERT_TRUE(log.append({finding(i)}).ok());
  }
  std::string everything() const { return read(older_) + read(options_.path); }

  fs::path folder_;
  std::string older_, state_;
  FindingsLog::Options options_;
  Telemetry telemetry_;
};

TEST_F(FindingsLogTest, BuffersAndContinuesAfterARestart) {
  auto log = open();
  append(*log, 0, 2);
  EXPECT_EQ(read(options_.path), "");
  EXPECT_EQ(log->position(), (LogPosition{0, 0}));
  ASSERT_TRUE(log->sync().ok());
  EXPECT_EQ(log->position(), (LogPosition{0, line(0).size() + line(1).size()}));
  append(*log, 2, 3);
  log.reset();  // flushes
  log = open();
  append(*log, 3, 4);
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(read(options_.path), line(0) + line(1) + line(2) + line(3));
}

TEST_F(FindingsLogTest, OneProcessWrites) {
  const auto log = open();
  const auto second = FindingsLog::open(options_, nullptr);
  ASSERT_FALSE(second.ok());
  EXPECT_THAT(second.error().message, ::testing::HasSubstr("another process"));
}

TEST_F(FindingsLogTest, RotatesBeforeTheLimitAndKeepsTwoFiles) {
  options_.max_size = 3 * line(0).size();
  auto log = open();
  append(*log, 0, 8);
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(read(older_), line(3) + line(4) + line(5));
  EXPECT_EQ(read(options_.path), line(6) + line(7));
  EXPECT_EQ(log->position(), (LogPosition{2, 2 * line(0).size()}));
  log.reset();
  EXPECT_EQ(open()->position(), (LogPosition{2, 2 * line(0).size()}));
}

TEST_F(FindingsLogTest, ALineLongerThanAFileStandsAlone) {
  options_.max_size = 10;
  auto log = open();
  append(*log, 0, 2);
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(read(older_), line(0));
  EXPECT_EQ(read(options_.path), line(1));
}

// Whatever the number of findings at the checkpoint and after it: cut back and written again, the
// files hold the end of the undisturbed sequence, nothing twice.
TEST_F(FindingsLogTest, CutBackAcrossRotationsNothingStandsTwice) {
  options_.max_size = 3 * line(0).size();
  for (int checkpoint = 0; checkpoint <= 7; ++checkpoint) {
    for (int crash = checkpoint; crash <= checkpoint + 8; ++crash) {
      TearDown();
      SetUp();
      auto log = open();
      append(*log, 0, checkpoint);
      ASSERT_TRUE(log->sync().ok());
      const LogPosition position = log->position();
      append(*log, checkpoint, crash);
      log.reset();
      log = open();
      ASSERT_TRUE(log->truncate_to(position).ok());
      append(*log, checkpoint, crash + 1);
      ASSERT_TRUE(log->sync().ok());
      const std::string text = everything();
      std::string expected;
      int first = crash + 1;
      while (first > 0 && expected.size() < text.size()) expected = line(--first) + expected;
      EXPECT_EQ(text, expected) << checkpoint << " " << crash;
      EXPECT_GE(text.size(), line(crash).size());
      // Positions only grow, so the next checkpoint lies behind this one.
      EXPECT_TRUE(log->position().generation > position.generation || log->position().offset > position.offset);
    }
  }
}

TEST_F(FindingsLogTest, RepairsWhatAKillLeft) {
  struct Case {
    std::string name, state, path, older;  // "-": no such file
    LogPosition position;
    std::string path_after, older_after;
  };
  const std::string a = line(1), b = line(2);
  const std::vector<Case> cases = {
      {"new", "-", "-", "-", {0, 0}, "", "-"},
      {"no state yet", "-", a, "-", {0, a.size()}, a, "-"},
      {"half a line", "2 steady\n", a + b.substr(0, 9), b, {2, a.size()}, a, b},
      {"only half a line", "2 steady\n", b.substr(0, 9), "-", {2, 0}, "", "-"},
      {"rotating, not renamed", "3 rotating\n", a, b, {2, a.size()}, a, b},
      {"rotating, renamed", "3 rotating\n", "-", a, {3, 0}, "", a},
      {"rotating, opened", "3 rotating\n", "", a, {3, 0}, "", a},
      {"undoing, not renamed", "2 undoing\n", b, a, {2, a.size()}, a, "-"},
      {"undoing, renamed", "2 undoing\n", a, "-", {2, a.size()}, a, "-"},
      {"damaged state", "x", a, "-", {0, a.size()}, a, "-"},
  };
  for (const Case& c : cases) {
    TearDown();
    SetUp();
    const auto put = [](const std::string& path, const std::string& text) {
      if (text != "-") write(path, text);
    };
    put(state_, c.state);
    put(options_.path, c.path);
    put(older_, c.older);
    for (int again = 0; again < 2; ++again) {
      const auto log = open();
      ASSERT_NE(log, nullptr) << c.name;
      EXPECT_EQ(log->position(), c.position) << c.name;
      EXPECT_EQ(read(options_.path), c.path_after) << c.name;
      EXPECT_EQ(fs::exists(older_), c.older_after != "-") << c.name;
      EXPECT_EQ(read(older_), c.older_after == "-" ? "" : c.older_after) << c.name;
    }
  }
}

TEST_F(FindingsLogTest, AHalfWrittenLineLongerThanABlockIsRemoved) {
  write(options_.path, line(0) + std::string(10000, 'x'));
  EXPECT_EQ(open()->position().offset, line(0).size());
  EXPECT_EQ(read(options_.path), line(0));
}

TEST_F(FindingsLogTest, SaysWhenTheFilesAreNotTheCheckpoints) {
  auto log = open();
  append(*log, 0, 1);
  ASSERT_TRUE(log->flush().ok());
  for (const LogPosition& position : {LogPosition{0, 100000}, LogPosition{9, 10}}) {
    const Status status = log->truncate_to(position);
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
    EXPECT_EQ(read(options_.path), line(0));
  }
  EXPECT_EQ(log->position().generation, 10U);  // behind every checkpoint there was
  append(*log, 1, 2);
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(read(options_.path), line(0) + line(1));
}

TEST_F(FindingsLogTest, IsNotCutInTheMiddleOfALineOfAFileThatReplacedIt) {
  write(options_.path, line(0) + line(1));
  auto log = open();
  const Status status = log->truncate_to({0, line(0).size() - 2});
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(read(options_.path), line(0) + line(1));
  append(*log, 2, 3);
  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(read(options_.path), line(0) + line(1) + line(2));
  EXPECT_TRUE(log->truncate_to({0, line(0).size()}).ok());
  EXPECT_EQ(read(options_.path), line(0));
}

// The disk takes half a line and then refuses, as a full one does.
TEST_F(FindingsLogTest, AFullDiskIsAnErrorAndLosesNothingUntilTheBufferIsFull) {
  options_.buffer = 4 * line(0).size();
  auto log = open();
  append(*log, 0, 1);
  ASSERT_TRUE(log->flush().ok());

  Status refused, lost;
  std::string while_full;
  {
    const FullDisk full(line(0).size() + line(1).size() / 2);
    append(*log, 1, 4);
    refused = log->flush();
    while_full = read(options_.path);
    lost = log->append({finding(4), finding(5), finding(6)});
  }

  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kIo);
  EXPECT_EQ(while_full, line(0));
  ASSERT_FALSE(lost.ok());
  EXPECT_THAT(lost.error().message, ::testing::HasSubstr("2 findings were lost"));
  EXPECT_GE(telemetry_.series(Metric::kFindingsLogFailures).value(), 2);
  EXPECT_EQ(telemetry_.series(Metric::kFindingsLogDropped).value(), 2);

  ASSERT_TRUE(log->flush().ok());
  EXPECT_EQ(read(options_.path), line(0) + line(1) + line(2) + line(3) + line(4));
}

// After an fdatasync that failed, the next one says that all is well and has not written what the first one could not.
TEST_F(FindingsLogTest, WhatTheDiskRefusedToSyncIsWrittenAgain) {
  namespace fs = std::filesystem;
  auto log = open();
  append(*log, 0, 2);
  ASSERT_TRUE(log->sync().ok());
  append(*log, 2, 4);
  const fs::file_time_type long_ago = fs::file_time_type::clock::now() - std::chrono::hours(1);
  const auto synced = [&] {
    fs::last_write_time(options_.path, long_ago);
    return log->sync().ok();
  };
  disk_sync_error = EIO;
  EXPECT_FALSE(synced());
  EXPECT_FALSE(synced());
  EXPECT_NE(fs::last_write_time(options_.path), long_ago) << "written again before the next attempt";
  EXPECT_EQ(telemetry_.series(Metric::kFindingsLogFailures).value(), 2);
  disk_sync_error = 0;
  EXPECT_TRUE(synced());
  EXPECT_NE(fs::last_write_time(options_.path), long_ago);
  EXPECT_TRUE(synced());
  EXPECT_EQ(fs::last_write_time(options_.path), long_ago) << "and once it is there, no more";
  EXPECT_EQ(read(options_.path), line(0) + line(1) + line(2) + line(3));
}

TEST_F(FindingsLogTest, HalfALineThatCannotBeCutOffIsBeforeTheNextOne) {
  auto log = open();
  append(*log, 0, 1);
  ASSERT_TRUE(log->flush().ok());
  disk_cut_error = EIO;
  Status refused;
  {
    const FullDisk full(line(0).size() + line(1).size() / 2);
    append(*log, 1, 3);
    refused = log->flush();
  }
  ASSERT_FALSE(refused.ok());
  EXPECT_FALSE(log->flush().ok()) << "it is still there";
  disk_cut_error = 0;
  EXPECT_TRUE(log->flush().ok());
  EXPECT_EQ(read(options_.path), line(0) + line(1) + line(2));
}

TEST_F(FindingsLogTest, AFolderThatIsNotThereIsAnError) {
  options_.path = folder_ / "missing" / "findings.jsonl";
  const auto log = FindingsLog::open(options_, nullptr);
  ASSERT_FALSE(log.ok());
  EXPECT_EQ(log.error().code, ErrorCode::kIo);
}

}  // namespace
}  // namespace driftd::exporters
