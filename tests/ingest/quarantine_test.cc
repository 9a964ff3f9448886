#include "ingest/quarantine.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "ingest/quarantine_reader.h"
#include "tests/disk.h"

namespace driftd::ingest {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

class QuarantineTest : public testing::Test {
 protected:
  void SetUp() override { options_ = {folder_, "pumps", 1U << 20, 16}; }
  void TearDown() override { fs::remove_all(folder_); }

  static RawRecord record(std::string_view payload, std::int64_t position = 7) {
    RawRecord r;
    r.payload = payload;
    r.key = "k";
    r.position = position;
    return r;
  }
  std::uint64_t bytes_on_disk() const {
    std::uint64_t sum = 0;
    for (const auto& entry : fs::directory_iterator(folder_)) sum += entry.file_size();
    return sum;
  }
  std::vector<Json> listed(std::size_t limit = 1000) const {
    std::vector<Json> out;
    const auto segments = Quarantine::segments(folder_);
    EXPECT_TRUE(segments.ok());
    for (const std::string& path : *segments) {
      std::ifstream file(path);
      for (std::string line; std::getline(file, line);) {
        if (parse_quarantined(line)) out.push_back(Json::parse(line));
      }
    }
    if (out.size() > limit) out.erase(out.begin(), out.end() - static_cast<std::ptrdiff_t>(limit));
    return out;
  }

  std::string folder_ = testing::TempDir() + "/quarantine" + std::to_string(::getpid());
  QuarantineOptions options_;
  ManualClock clock_{kSecond};
};

TEST_F(QuarantineTest, KeepsWhatAPersonNeeds) {
  Quarantine q(options_, clock_);
  q.add(3, record("{\"a\""), RejectReason::kUndecodable, "no end");
  q.add(3, record("\xff\x01"), RejectReason::kUndecodable, "");
  q.add(3, record("0123456789abcde\xc3\xa9x"), RejectReason::kBadTime, "");
  q.add(3, record(""), RejectReason::kEmptyPayload, "");
  EXPECT_EQ(q.bytes(), 0U);
  q.flush();
  EXPECT_EQ(q.bytes(), bytes_on_disk());
  const auto lines = listed();
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], Json::parse(R"({"time":"1970-01-01T00:00:01Z","stream":"pumps","partition":3,"position":7,
      "reason":"undecodable","detail":"no end","key":"k","payload":"{\"a\""})"));
  EXPECT_EQ(lines[1]["payload_base64"], "/wE=");
  EXPECT_EQ(lines[2]["payload"], "0123456789abcde");  // cut before the two bytes of the accent
  EXPECT_EQ(lines[2]["truncated"], true);
  EXPECT_EQ(lines[2]["size"], 18);
  EXPECT_EQ(lines[3]["payload"], "");
  EXPECT_EQ(listed(1).at(0)["reason"], "empty_payload");
}

TEST_F(QuarantineTest, OneThatFailedACheckSaysWhich) {
  Quarantine q(options_, clock_);
  GateMark why;
  why.check = "in_range";
  why.field = "x";
  why.reason = "out_of_range";
  why.detail = "150";
  q.add_failed(3, record("{}"), why);
  why = {};
  why.check = "unique";
  why.checks = "unique,other";
  q.add_failed(3, record("{}"), why);
  q.flush();
  const auto lines = listed();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0]["reason"], kFailedReason);
  EXPECT_EQ(lines[0]["detail"], "in_range of x: out_of_range (150)");
  EXPECT_EQ(lines[0]["position"], 7);
  EXPECT_EQ(lines[1]["detail"], "unique; failed: unique,other");
  for (int i = 0; i < kRejectReasons; ++i) EXPECT_NE(to_string(static_cast<RejectReason>(i)), kFailedReason);
}

TEST_F(QuarantineTest, SyncWaitsForTheDiskOnlyWhenSomethingWasWritten) {
  options_.cap = 8000;
  Quarantine q(options_, clock_);
  const auto syncs = [&] {
    const int before = disk_writes_done;
    q.sync();
    return disk_writes_done - before;
  };
  EXPECT_EQ(syncs(), 0);
  q.add(0, record("a"), RejectReason::kUndecodable, "");
  EXPECT_EQ(syncs(), 1);
  EXPECT_EQ(listed().size(), 1U);
  EXPECT_EQ(syncs(), 0);
  for (int i = 0; i < 12; ++i) {  // into several segments
    q.add(0, record("b", i), RejectReason::kUndecodable, "");
    q.flush();
  }
  EXPECT_EQ(syncs(), std::distance(fs::directory_iterator(folder_), fs::directory_iterator()));
  EXPECT_EQ(syncs(), 0);
  EXPECT_EQ(q.dropped(), 0U);
}

TEST_F(QuarantineTest, WhatTheDiskMayNotHaveIsCounted) {
  Quarantine q(options_, clock_);
  q.add(0, record("a"), RejectReason::kUndecodable, "");
  q.flush();
  fs::remove_all(folder_);
  q.sync();
  EXPECT_EQ(q.dropped(), 1U);
  EXPECT_FALSE(q.trouble().empty());
  q.sync();
  EXPECT_EQ(q.dropped(), 1U) << "once";
}

TEST_F(QuarantineTest, HoldsItsCapAndKeepsTheNewest) {
  options_.cap = 8000;
  Quarantine q(options_, clock_);
  for (int i = 0; i < 500; ++i) {
    q.add(0, record("x", i), RejectReason::kUndecodable, "");
    if (i % 7 == 0) q.flush();
    EXPECT_LE(bytes_on_disk(), 8000U);
  }
  q.flush();
  EXPECT_EQ(q.bytes(), bytes_on_disk());
  EXPECT_GT(q.bytes(), 6000U);
  const auto lines = listed();
  EXPECT_EQ(lines.back()["position"], 499);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    EXPECT_EQ(lines[i]["position"].get<int>(), lines[i - 1]["position"].get<int>() + 1);
  }
  EXPECT_EQ(q.dropped(), 0U);
}

TEST_F(QuarantineTest, GoesOnAfterARestartAndATornLine) {
  {
    Quarantine q(options_, clock_);
    q.add(0, record("a"), RejectReason::kUndecodable, "");
    q.flush();
  }
  for (const auto& entry : fs::directory_iterator(folder_)) std::ofstream(entry.path(), std::ios::app) << "{\"time\":\"19";
  Quarantine q(options_, clock_);
  EXPECT_EQ(q.bytes(), bytes_on_disk());
  q.add(0, record("b"), RejectReason::kUndecodable, "");
  q.flush();
  const auto lines = listed();
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[1]["payload"], "b");
}

TEST_F(QuarantineTest, ManyRestartsCostNoRecordAndLeaveNoPileOfFiles) {
  for (int i = 0; i < 50; ++i) {
    Quarantine q(options_, clock_);
    q.add(0, record("a", i), RejectReason::kUndecodable, "");
    q.flush();
  }
  EXPECT_EQ(std::distance(fs::directory_iterator(folder_), fs::directory_iterator()), 1);
  const auto kept = listed();
  ASSERT_EQ(kept.size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(kept[static_cast<std::size_t>(i)]["position"], i);
}

TEST_F(QuarantineTest, ALineThatACrashToreCostsItselfOnly) {
  for (int i = 0; i < 3; ++i) {
    {
      Quarantine q(options_, clock_);
      q.add(0, record("a", i), RejectReason::kUndecodable, "");
      q.flush();
    }
    std::ofstream(folder_ + "/quarantine-000000000001.jsonl", std::ios::app) << "{\"torn";
  }
  std::ifstream file(folder_ + "/quarantine-000000000001.jsonl");
  int whole = 0, torn = 0;
  for (std::string line; std::getline(file, line);) ++(line == "{\"torn" ? torn : whole);
  EXPECT_EQ(whole, 3);
  EXPECT_EQ(torn, 3);
}

TEST_F(QuarantineTest, AFolderThatCannotBeUsedIsCounted) {
  options_.folder = "/dev/null/quarantine";
  Quarantine q(options_, clock_);
  EXPECT_FALSE(q.trouble().empty());
  q.add(0, record("a"), RejectReason::kUndecodable, "");
  q.add(0, record("b"), RejectReason::kUndecodable, "");
  q.flush();
  EXPECT_EQ(q.dropped(), 2U);
  EXPECT_EQ(q.bytes(), 0U);
}

// As somebody does who needs room.
TEST_F(QuarantineTest, AFolderThatIsDeletedIsMadeAgain) {
  Quarantine q(options_, clock_);
  q.add(0, record("a"), RejectReason::kUndecodable, "");
  q.sync();
  fs::remove_all(folder_);
  q.add(0, record("b"), RejectReason::kUndecodable, "");
  q.sync();
  EXPECT_EQ(q.dropped(), 0U);
  EXPECT_EQ(q.trouble(), "");
  EXPECT_EQ(q.bytes(), bytes_on_disk());
  EXPECT_GT(q.bytes(), 0U);
}

TEST_F(QuarantineTest, AFullDiskIsCounted) {
  fs::create_directories(folder_);
  fs::create_symlink("/dev/full", folder_ + "/quarantine-000000000001.jsonl");
  Quarantine q(options_, clock_);
  // The link has no size, so it is taken for no segment, and the first segment gets its name.
  q.add(0, record("a"), RejectReason::kUndecodable, "");
  q.flush();
  EXPECT_EQ(q.dropped(), 1U);
  EXPECT_NE(q.trouble().find("No space left"), std::string::npos) << q.trouble();
}

TEST_F(QuarantineTest, ACapSmallerThanALineDropsIt) {
  options_.cap = 64;
  Quarantine q(options_, clock_);
  q.add(0, record("a"), RejectReason::kUndecodable, "");
  q.flush();
  EXPECT_EQ(q.dropped(), 1U);
  EXPECT_EQ(bytes_on_disk(), 0U);
}

}  // namespace
}  // namespace driftd::ingest
