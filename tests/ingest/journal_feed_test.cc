#include "ingest/journal_feed.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "tests/ingest/source_harness.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {
namespace {

class JournalFeedTest : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void start(std::int64_t keep = 0) {
    feed_.reset();
    JournalOptions options;
    options.folder = folder_.path();
    options.segment = 100;  // one append a segment
    options.partitions = 3;
    auto journal = Journal::open(options);
    ASSERT_TRUE(journal.ok());
    SourceContext context;
    context.stream = "s";
    context.telemetry = &telemetry_;
    feed_ = std::make_unique<JournalFeed>(std::move(*journal), context, 3, keep);
    ASSERT_TRUE(feed_->open(handler_).ok());
  }
  void append(std::uint32_t partition, int times = 1) {
    for (int i = 0; i < times; ++i) {
      const std::string payload(100, 'x');
      std::vector<JournalEntry> one = {{0, 0, partition, 0, "", payload}};
      ASSERT_TRUE(feed_->journal().append(one).ok());
    }
  }
  // "partition:positions" of all that is there.
  std::vector<std::string> take() {
    std::vector<std::string> out;
    RawBatch batch;
    while (feed_->next(batch).value() || feed_->unread() > 0) {
      if (batch.records.empty()) continue;
      std::string text = std::to_string(batch.partition) + ":";
      for (const RawRecord& r : batch.records) text += " " + std::to_string(r.position);
      EXPECT_EQ(batch.next_position, batch.records.back().position + 1);
      out.push_back(text);
      batch.records.clear();
    }
    return out;
  }

  double metric(Metric which) { return telemetry_.series(which, {"s"}).value(); }

  TempFolder folder_;
  Telemetry telemetry_;
  RecordingHandler handler_;
  std::unique_ptr<JournalFeed> feed_;
};

TEST_F(JournalFeedTest, HandsOverByPartitionInOrder) {
  append(0), append(2), append(0), append(1), append(2);
  EXPECT_EQ(feed_->lag(), 5);
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 0", "2: 1", "0: 2", "1: 3", "2: 4"}));
  EXPECT_EQ(feed_->lag(), 0);
}

// What is read of the journal and not handed over is a backlog, too: a partition that waits there is not silent.
TEST_F(JournalFeedTest, WhatWaitsForItsTurnIsNotHandedOver) {
  std::vector<JournalEntry> four;
  for (const std::uint32_t partition : {0U, 1U, 0U, 2U}) four.push_back({0, 0, partition, 0, "", "x"});
  ASSERT_TRUE(feed_->journal().append(four).ok());  // of one segment, so they are read at once
  EXPECT_EQ(feed_->lag(), 4);
  RawBatch batch;
  std::vector<std::int64_t> lags;
  while (feed_->next(batch).value()) lags.push_back(feed_->lag());
  EXPECT_EQ(lags, (std::vector<std::int64_t>{2, 1, 0}));
}

TEST_F(JournalFeedTest, WhatIsHeldBackComesLaterOnceAndInOrder) {
  append(0), append(1), append(0), append(2);
  RawBatch batch;
  ASSERT_TRUE(feed_->next(batch).value());
  feed_->hold_back({0, 2});
  EXPECT_EQ(take(), (std::vector<std::string>{"1: 1"})) << "the others are read on";
  append(1), append(0);
  EXPECT_EQ(feed_->unread(), 2);
  EXPECT_EQ(take(), (std::vector<std::string>{"1: 4"}));
  EXPECT_EQ(feed_->unread(), 0) << "nobody is to wait for what is held back";
  EXPECT_EQ(feed_->lag(), 4) << "from the oldest that is";
  feed_->hold_back({2});
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 2", "0: 5"}));
  append(2);
  feed_->hold_back({});
  EXPECT_EQ(take(), (std::vector<std::string>{"2: 3", "2: 6"}));
  EXPECT_EQ(feed_->lag(), 0);
}

TEST_F(JournalFeedTest, WhatWaitsForItsTurnIsHeldBackToo) {
  std::vector<JournalEntry> four;
  for (const std::uint32_t partition : {0U, 1U, 0U, 2U}) four.push_back({0, 0, partition, 0, "", "x"});
  ASSERT_TRUE(feed_->journal().append(four).ok());
  RawBatch batch;
  ASSERT_TRUE(feed_->next(batch).value());
  EXPECT_EQ(batch.partition, 0U);
  feed_->hold_back({1});
  EXPECT_EQ(take(), (std::vector<std::string>{"2: 3"}));
  append(2);
  feed_->hold_back({});
  EXPECT_EQ(take(), (std::vector<std::string>{"1: 1", "2: 4"})) << "and nothing that was handed over";
}

// What is read once more begins before the oldest that was passed over.
TEST_F(JournalFeedTest, WhatWaitsForItsTurnIsNotLostWhenOthersAreLetGo) {
  std::vector<JournalEntry> seven;
  for (const std::uint32_t partition : {0U, 1U, 1U, 2U, 0U, 1U, 2U}) seven.push_back({0, 0, partition, 0, "", "x"});
  ASSERT_TRUE(feed_->journal().append(seven).ok());
  feed_->hold_back({2});
  RawBatch batch;
  ASSERT_TRUE(feed_->next(batch).value());
  EXPECT_EQ(batch.partition, 0U);
  feed_->hold_back({});
  EXPECT_EQ(take(), (std::vector<std::string>{"1: 1 2 5", "2: 3 6"}));
  EXPECT_EQ(feed_->lag(), 0);
}

TEST_F(JournalFeedTest, WhatIsHeldBackIsNotDeletedNorItsDamageCountedTwice) {
  append(0), append(1), append(0), append(1), append(0), append(1);
  feed_.reset();
  std::vector<std::filesystem::path> segments;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) segments.push_back(entry.path());
  std::sort(segments.begin(), segments.end());
  std::fstream(segments.at(3), std::ios::in | std::ios::out | std::ios::binary).seekp(100).put('!');
  start();
  feed_->hold_back({0});
  take();
  feed_->release(0, 0);
  feed_->release(1, 6);
  EXPECT_EQ(metric(Metric::kSourceLost), 1);
  EXPECT_EQ(feed_->journal().begin(), 0);
  feed_->hold_back({});
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 0", "0: 2", "0: 4"}));
  EXPECT_EQ(metric(Metric::kSourceLost), 1);
  feed_->release(0, 5);
  EXPECT_GE(feed_->journal().begin(), 5);
}

// Records of others may come all the time: at the end of all that there was when that was asked for is enough.
TEST_F(JournalFeedTest, KnowsOfWhichPartitionsAllHasBeenHandedOver) {
  using Numbers = std::set<std::uint32_t>;
  EXPECT_EQ(feed_->at_end({0, 1}, {}), (Numbers{0, 1}));
  append(0, 2);
  EXPECT_EQ(feed_->at_end({0, 1}, {1}), Numbers{1}) << "all that there was when they were asked of";
  EXPECT_EQ(feed_->at_end({1}, {1}), Numbers()) << "there may be a record of 1 among the two";
  RawBatch batch;
  ASSERT_TRUE(feed_->next(batch).value());
  EXPECT_EQ(feed_->at_end({1}, {}), Numbers()) << "asked anew";
  ASSERT_TRUE(feed_->next(batch).value());
  append(0);
  EXPECT_EQ(feed_->at_end({1}, {1}), Numbers{1});
  EXPECT_EQ(feed_->at_end({1}, {}), Numbers());
  feed_->hold_back({0});
  take();
  EXPECT_EQ(feed_->at_end({0, 1}, {}), Numbers{1}) << "0 has one that is held back";
}

TEST_F(JournalFeedTest, GoesOnFromEachPartitionsPosition) {
  append(0), append(1), append(0), append(1);
  handler_.positions = {{0, 1}, {1, 2}};
  start();
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 2", "1: 3"}));
}

TEST_F(JournalFeedTest, KeepsWhatAPartitionStillNeeds) {
  append(0), append(1), append(0), append(0);
  take();
  feed_->release(0, 4);
  EXPECT_LE(feed_->journal().begin(), 1) << "partition 1 has no checkpoint past its record yet";
  feed_->release(1, 2);
  EXPECT_EQ(feed_->journal().begin(), 3) << "a partition without records holds nothing back";
}

TEST_F(JournalFeedTest, KeepsWhatIsNotHandedOverYet) {
  append(0, 6);
  feed_->release(0, 0);
  EXPECT_EQ(feed_->journal().begin(), 0);
  EXPECT_EQ(take().size(), 6U);
}

TEST_F(JournalFeedTest, KeepsTheNewestThatItIsAskedToKeep) {
  start(2);
  append(0, 6);
  take();
  feed_->release(0, 6);
  EXPECT_EQ(feed_->journal().begin(), 4);
}

TEST_F(JournalFeedTest, StartsAmidItsRecordsWhenAllPositionsAreLost) {
  append(0), append(1), append(0), append(1);
  take();
  feed_->release(0, 3), feed_->release(1, 2);
  ASSERT_EQ(feed_->journal().begin(), 2);
  handler_.positions = {{0, 3}};
  start();
  EXPECT_TRUE(handler_.starts.empty()) << "1 and 2 may have had no record yet";
  handler_.positions.clear();
  start();
  EXPECT_EQ(handler_.starts, (std::vector<std::string>{"0/2 amid", "1/2 amid", "2/2 amid"}));
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 2", "1: 3"}));
}

TEST_F(JournalFeedTest, GoesOnBehindTheCheckpointWhenTheJournalIsGone) {
  handler_.positions = {{0, 4}, {1, 2}};
  start();
  EXPECT_EQ(metric(Metric::kSourceGaps), 1);
  EXPECT_EQ(metric(Metric::kSourceLost), 0) << "how many is not known";
  EXPECT_EQ(handler_.starts, (std::vector<std::string>{"0/4 amid", "1/4 amid", "2/4 amid"}));
  append(0), append(1), append(2);
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 4", "1: 5", "2: 6"}));
  start();
  EXPECT_EQ(take().size(), 3U);
  EXPECT_EQ(metric(Metric::kSourceGaps), 1) << "said once";
  EXPECT_EQ(handler_.starts.size(), 3U);
}

TEST_F(JournalFeedTest, GoesOnBehindTheCheckpointOfAnOlderJournal) {
  append(0), append(1), append(0), append(1);
  handler_.positions = {{0, 9}, {1, 2}};
  start();
  EXPECT_EQ(handler_.starts, (std::vector<std::string>{"0/9 amid", "1/2 amid", "2/0 amid"}));
  append(0), append(1);
  EXPECT_EQ(take(), (std::vector<std::string>{"1: 3", "0: 9", "1: 10"}));
  EXPECT_EQ(metric(Metric::kSourceGaps), 1);
  EXPECT_EQ(metric(Metric::kSourceLost), 0);
  feed_->release(0, 10), feed_->release(1, 11);
  EXPECT_GE(feed_->journal().begin(), 9);
}

TEST_F(JournalFeedTest, CountsWhatIsGoneBetweenTheCheckpointAndTheOldestRecord) {
  append(0, 6);
  take();
  feed_->release(0, 4);
  ASSERT_EQ(feed_->journal().begin(), 4);
  handler_.positions = {{0, 1}};
  start();
  EXPECT_EQ(metric(Metric::kSourceGaps), 1);
  EXPECT_EQ(metric(Metric::kSourceLost), 3);
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 4", "0: 5"}));
}

TEST_F(JournalFeedTest, CountsAHeaderThatWasDamagedOnce) {
  feed_.reset();
  std::filesystem::resize_file(folder_.path() + "/00000000000000000000.journal", 10);
  std::filesystem::resize_file(folder_.path() + "/00000000000000000000.journal", 24);
  for (int i = 0; i < 2; ++i) start(), append(0);
  EXPECT_EQ(metric(Metric::kSourceGaps), 1);
  EXPECT_EQ(metric(Metric::kSourceLost), 0);
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 0", "0: 1"}));
}

TEST_F(JournalFeedTest, GivesAllPartitionsUpWhenItIsClosed) {
  feed_->close();
  EXPECT_EQ(handler_.events, (std::vector<std::string>{"assigned 0", "assigned 1", "assigned 2", "revoked 0", "revoked 1", "revoked 2"}));
  RawBatch batch;
  EXPECT_EQ(feed_->next(batch).value(), false);
}

TEST_F(JournalFeedTest, CountsTheRecordsThatDamageCostAndTheTimesThatItDid) {
  append(0, 6);
  feed_.reset();
  std::vector<std::filesystem::path> segments;
  for (const auto& entry : std::filesystem::directory_iterator(folder_.path())) segments.push_back(entry.path());
  std::sort(segments.begin(), segments.end());
  ASSERT_GE(segments.size(), 6U);
  for (const std::size_t hit : {1U, 2U, 4U}) {
    std::fstream file(segments[hit], std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100).put('!');
  }
  start();
  EXPECT_EQ(metric(Metric::kSourceLost), 0);
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 0", "0: 3", "0: 5"}));
  EXPECT_EQ(metric(Metric::kSourceLost), 3);
  EXPECT_EQ(metric(Metric::kSourceGaps), 2);
  handler_.positions = {{0, 4}};
  start();
  EXPECT_EQ(take(), (std::vector<std::string>{"0: 5"}));
  EXPECT_EQ(metric(Metric::kSourceLost), 3 + 1) << "those before the checkpoint were counted by who read them";
}

}  // namespace
}  // namespace driftd::ingest
