#include "alerts/outbox.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "samples.h"

namespace driftd::alerts {
namespace {

constexpr Time kNow = kDay0 + kHour;
using R = Delivery::Result;

class OutboxTest : public testing::Test {
 protected:
  void SetUp() override {
    const auto* info = testing::UnitTest::GetInstance()->current_test_info();
    path_ = testing::TempDir() + "outbox_" + info->name() + "_" + std::to_string(getpid()) + ".db";
    remove_files();
    ASSERT_EQ(sqlite3_open(path_.c_str(), &db_), SQLITE_OK);
    sqlite3_exec(db_, "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr);
    ASSERT_TRUE(Outbox::create_tables(db_).ok());
    reopen();
  }
  void TearDown() override {
    outbox_.reset();
    sqlite3_close(db_);
    remove_files();
  }
  void remove_files() {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path_ + end);
  }
  void reopen() {
    outbox_.reset();
    auto opened = Outbox::open(path_);
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    outbox_ = std::move(opened).value();
  }
  std::size_t put(const std::vector<Outgoing>& messages, Time now = kNow, std::size_t max_rows = Outbox::kMaxRows) {
    const auto added = Outbox::put(db_, messages, now, telemetry_, max_rows);
    EXPECT_TRUE(added.ok());
    return added.ok() ? *added : 0;
  }
  void run(const char* sql) { ASSERT_EQ(sqlite3_exec(db_, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db_); }
  std::vector<OutboxRow> due(Time now, const std::string& receiver = "hook") {
    auto rows = outbox_->due(receiver, now, 100);
    EXPECT_TRUE(rows.ok());
    return std::move(rows).value();
  }
  RowState mark(const std::string& id, R result, Time now, Duration after = 0) {
    const auto state = outbox_->mark(id, {result, after, "answer"}, now);
    EXPECT_TRUE(state.ok());
    return *state;
  }

  std::string path_;
  sqlite3* db_ = nullptr;
  Telemetry telemetry_;
  std::unique_ptr<Outbox> outbox_;
};

TEST_F(OutboxTest, KeepsMessagesWholeAcrossReopening) {
  EXPECT_EQ(put({outgoing("1"), outgoing("2", "other")}), 2U);
  reopen();
  const auto rows = due(kNow);
  ASSERT_EQ(rows.size(), 1U);
  const Outgoing expected = outgoing("1");
  const Message& m = rows[0].message;
  EXPECT_EQ(m.id, "1");
  EXPECT_EQ(m.type, expected.message.type);
  EXPECT_EQ(m.group_key, expected.message.group_key);
  EXPECT_EQ(m.created_at, kNow);
  EXPECT_EQ(m.attempt, 1U);
  EXPECT_EQ(m.finding_lines, expected.message.finding_lines);
  std::string a, b;
  append_json(a, m.alerts.at(0));
  append_json(b, expected.message.alerts.at(0));
  EXPECT_EQ(a, b);
  EXPECT_EQ(m.alerts[0].last_seen, expected.message.alerts[0].last_seen);
  EXPECT_TRUE(due(kNow - 1).empty());
}

TEST_F(OutboxTest, BelongsToTheCallersTransaction) {
  run("BEGIN IMMEDIATE");
  put({outgoing("1")});
  run("ROLLBACK");
  EXPECT_TRUE(due(kNow).empty());
  run("BEGIN IMMEDIATE");
  put({outgoing("1")});
  EXPECT_TRUE(due(kNow).empty()) << "not visible before it is committed";
  run("COMMIT");
  EXPECT_EQ(due(kNow).size(), 1U);
}

TEST_F(OutboxTest, KnowsWhatItHasSeenAlsoWhenFinished) {
  EXPECT_EQ(put({outgoing("1")}), 1U);
  EXPECT_EQ(put({outgoing("1"), outgoing("1")}, kNow + 1), 0U);
  EXPECT_EQ(mark("1", R::kDelivered, kNow), RowState::kDelivered);
  EXPECT_EQ(put({outgoing("1")}, kNow + kDay), 0U);
  EXPECT_TRUE(due(kNow + kDay).empty());
  ASSERT_TRUE(outbox_->prune(kNow + 7 * kDay).ok());
  EXPECT_EQ(put({outgoing("1")}, kNow + 7 * kDay), 0U) << "known for seven days";
  ASSERT_TRUE(outbox_->prune(kNow + 7 * kDay + 1).ok());
  EXPECT_EQ(put({outgoing("1")}, kNow + 8 * kDay), 1U);
}

TEST_F(OutboxTest, FollowsTheScheduleAndThenGivesUp) {
  put({outgoing("1")});
  const std::vector<Duration> waits = {5 * kSecond, 15 * kSecond, kMinute,    5 * kMinute, 15 * kMinute, 30 * kMinute,
                                       2 * kHour,   5 * kHour,    10 * kHour, 14 * kHour,  20 * kHour,   24 * kHour};
  Time now = kNow;
  for (std::size_t i = 0; i < waits.size(); ++i) {
    ASSERT_EQ(due(now).size(), 1U) << i;
    EXPECT_EQ(due(now)[0].message.attempt, i + 1);
    EXPECT_EQ(mark("1", R::kRetry, now), RowState::kPending);
    reopen();
    const auto next = outbox_->next_due("hook");
    ASSERT_TRUE(next.ok() && *next);
    const double wait = to_seconds(**next - now) / to_seconds(waits[i]);
    EXPECT_GE(wait, 0.8) << i;
    EXPECT_LE(wait, 1.2) << i;
    EXPECT_TRUE(due(**next - 1).empty());
    now = **next;
  }
  EXPECT_EQ(mark("1", R::kRetry, now), RowState::kDropped);
  EXPECT_EQ(*outbox_->pending(), 0U);
}

TEST_F(OutboxTest, AMessageDoesNotOvertakeAnEarlierOneOfItsGroup) {
  put({outgoing("firing")});
  mark("firing", R::kRetry, kNow);
  Outgoing other = outgoing("other");
  other.message.group_key = "another alert";
  put({outgoing("resolved"), other}, kNow + kSecond);
  auto rows = due(kNow + 2 * kSecond);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].message.id, "other");
  mark("other", R::kDelivered, kNow + 2 * kSecond);
  const auto next = outbox_->next_due("hook");
  ASSERT_TRUE(next.ok() && *next);
  EXPECT_GT(**next, kNow + 2 * kSecond) << "nothing to wake up for before the first one's turn";
  rows = due(**next);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].message.id, "firing");
  mark("firing", R::kDelivered, **next);
  rows = due(**next);
  ASSERT_EQ(rows.size(), 1U);
  EXPECT_EQ(rows[0].message.id, "resolved");
}

// Times say nothing about what came first: a clock may be turned back, and of one time there may be many.
TEST_F(OutboxTest, MessagesOfAGroupGoInTheOrderInWhichTheyWerePut) {
  put({outgoing("firing")});
  put({outgoing("resolved")}, kNow - kHour);
  put({outgoing("z"), outgoing("a"), outgoing("m")}, kNow - kHour);
  put({outgoing("last")}, kNow - 2 * kHour);
  reopen();
  for (const char* id : {"firing", "resolved", "z", "a", "m", "last"}) {
    const auto rows = due(kNow + kHour);
    ASSERT_EQ(rows.size(), 1U) << "before " << id;
    EXPECT_EQ(rows[0].message.id, id);
    mark(id, R::kDelivered, kNow + kHour);
  }
}

TEST_F(OutboxTest, ANumberThatCannotBeHoldsNobodyBehindIt) {
  put({outgoing("1")});
  run("UPDATE outbox SET seq=9223372036854775807");
  put({outgoing("2"), outgoing("3")});
  std::vector<std::string> order;
  while (true) {
    const auto rows = due(kNow);
    if (rows.empty()) break;
    order.push_back(rows[0].message.id);
    mark(order.back(), R::kDelivered, kNow);
  }
  EXPECT_EQ(order, (std::vector<std::string>{"2", "3", "1"}));
}

// Of format 1, in which rows had the order of their times.
TEST_F(OutboxTest, AFileOfTheFormatBeforeIsTakenUp) {
  put({outgoing("b", "hook", "alert.firing", "one"), outgoing("a", "hook", "alert.resolved", "one")});
  put({outgoing("c", "hook", "alert.firing", "two")}, kNow - kHour);
  outbox_.reset();
  run("DROP INDEX outbox_order");
  run("ALTER TABLE outbox DROP COLUMN seq");
  run("PRAGMA user_version=1");
  reopen();
  const auto rows = due(kNow);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].message.id, "c");
  EXPECT_EQ(rows[1].message.id, "b");
  mark("b", R::kRetry, kNow);
  put({outgoing("d", "hook", "alert.firing", "one")}, kNow - 2 * kHour);
  mark("b", R::kDelivered, kNow);
  EXPECT_EQ(due(kNow).back().message.id, "a");
  mark("a", R::kDelivered, kNow);
  EXPECT_EQ(due(kNow).back().message.id, "d");
}

TEST(RetryWait, IsSpreadAndTheSameAgain) {
  double least = 2, most = 0;
  for (int i = 0; i < 500; ++i) {
    const std::string id = std::to_string(i);
    const double share = to_seconds(*retry_wait(id, 1)) / 5;
    EXPECT_EQ(retry_wait(id, 1), retry_wait(id, 1));
    least = std::min(least, share);
    most = std::max(most, share);
  }
  EXPECT_GE(least, 0.8);
  EXPECT_LT(least, 0.83);
  EXPECT_LE(most, 1.2);
  EXPECT_GT(most, 1.17);
  EXPECT_EQ(retry_wait("x", 0), std::nullopt);
  EXPECT_EQ(retry_wait("x", 13), std::nullopt);
}

TEST_F(OutboxTest, ALongerRetryAfterWinsUpToADay) {
  put({ungrouped("1"), ungrouped("2"), ungrouped("3")});
  mark("1", R::kRetry, kNow, kMinute);
  mark("2", R::kRetry, kNow, kMillisecond);
  mark("3", R::kRetry, kNow, 100 * kDay);
  EXPECT_EQ(due(kNow + 7 * kSecond).size(), 1U) << "only the one with the short Retry-After";
  EXPECT_EQ(due(kNow + kMinute - 1).size(), 1U);
  EXPECT_EQ(due(kNow + kMinute).size(), 2U);
  EXPECT_EQ(due(kNow + kDay).size(), 3U);
}

TEST_F(OutboxTest, RefusalsEndARow) {
  put({outgoing("1"), outgoing("2")});
  EXPECT_EQ(mark("1", R::kRejected, kNow), RowState::kRejected);
  EXPECT_EQ(mark("2", R::kGone, kNow), RowState::kGone);
  EXPECT_TRUE(due(kNow + kDay).empty());
}

TEST_F(OutboxTest, AClockTurnedBackDoesNotHoldMessages) {
  put({outgoing("1")}, kNow + 365 * kDay);
  EXPECT_EQ(due(kNow).size(), 1U);
}

TEST_F(OutboxTest, AtTheCapFinishedRowsGoFirstThenNewOnesAreRefused) {
  put({outgoing("1"), outgoing("2"), outgoing("3")}, kNow, 3);
  mark("1", R::kDelivered, kNow + 1);
  mark("2", R::kDelivered, kNow);
  EXPECT_EQ(put({outgoing("4")}, kNow, 3), 1U);
  EXPECT_EQ(put({outgoing("1")}, kNow, 3), 0U) << "2 finished earlier and went first";
  EXPECT_EQ(put({outgoing("5"), outgoing("6")}, kNow, 3), 1U);
  EXPECT_EQ(telemetry_.series(Metric::kOutboxDropped, {"full"}).value(), 1);
  EXPECT_EQ(*outbox_->pending(), 3U);
  EXPECT_EQ(put({outgoing("7")}, kNow, 3), 0U);
  EXPECT_EQ(outbox_->list(10, kNow)->size(), 3U);
}

TEST_F(OutboxTest, CurrentIsWhatIsPendingOrWasDeliveredLately) {
  put({outgoing("1", "am"), outgoing("2", "am"), outgoing("3", "am"), outgoing("4", "hook")});
  mark("1", R::kDelivered, kNow);
  mark("2", R::kDelivered, kNow + kMinute);
  const auto rows = outbox_->current("am", kNow, kNow + kMinute);
  ASSERT_TRUE(rows.ok());
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].message.id, "2");
  EXPECT_EQ((*rows)[1].message.id, "3");
}

TEST_F(OutboxTest, NothingThatWaitsIsDroppedForItsAge) {
  put({ungrouped("1"), ungrouped("2"), ungrouped("3")});
  mark("2", R::kRetry, kNow);
  mark("3", R::kDelivered, kNow);
  ASSERT_TRUE(outbox_->prune(kNow + 365 * kDay).ok());
  EXPECT_EQ(*outbox_->pending(), 2U);
  EXPECT_EQ(outbox_->list(10, kNow)->size(), 2U) << "what is finished is forgotten";
  EXPECT_EQ(due(kNow + 365 * kDay).size(), 2U);
}

TEST_F(OutboxTest, AReceiverThatIsDownDoesNotTakeThePlaceOfOthers) {
  std::vector<Outgoing> messages;
  for (const char* id : {"1", "2", "3"}) messages.push_back(ungrouped(id));
  put(messages, kNow, 4);
  put({ungrouped("4", "other")}, kNow + 1, 4);
  EXPECT_EQ(put({ungrouped("5"), ungrouped("6", "other"), ungrouped("7")}, kNow + 2, 4), 1U);
  EXPECT_EQ(telemetry_.series(Metric::kOutboxDropped, {"full"}).value(), 3) << "5, 7 and the newest of those before, 3";
  const auto rest = due(kNow + 2);
  ASSERT_EQ(rest.size(), 2U);
  EXPECT_EQ(rest[0].message.id, "1");
  EXPECT_EQ(rest[1].message.id, "2");
  EXPECT_EQ(outbox_->current("other", kNow, kNow)->size(), 2U);
  EXPECT_EQ(put({ungrouped("8", "other")}, kNow + 3, 4), 0U) << "as many as of hook: it pays for itself";
  EXPECT_EQ(due(kNow + 3).size(), 2U);
}

TEST_F(OutboxTest, OperatorsListReplayAndDrop) {
  put({outgoing("1")}, kNow);
  put({outgoing("2")}, kNow + 1);
  mark("1", R::kRejected, kNow + 2);
  const auto rows = outbox_->list(10, kNow);
  ASSERT_EQ(rows->size(), 2U);
  EXPECT_EQ((*rows)[0].message.id, "2");
  EXPECT_EQ((*rows)[1].state, RowState::kRejected);
  EXPECT_EQ((*rows)[1].detail, "answer");
  EXPECT_STREQ(to_string((*rows)[1].state), "rejected");
  EXPECT_EQ(outbox_->list(1, kNow)->size(), 1U);
  EXPECT_TRUE(outbox_->replay("1", kNow + 3).ok());
  EXPECT_TRUE(outbox_->drop("2", kNow + 3).ok());
  const auto again = due(kNow + 3);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].message.id, "1");
  EXPECT_EQ(again[0].message.attempt, 1U);
  EXPECT_EQ(again[0].message.created_at, kNow) << "the same message, not a new one";
  EXPECT_EQ(outbox_->replay("9", kNow).error().code, ErrorCode::kNotFound);
  EXPECT_EQ(outbox_->drop("9", kNow).error().code, ErrorCode::kNotFound);
}

TEST_F(OutboxTest, RemembersWhenAGroupWasSent) {
  EXPECT_EQ(*outbox_->last_sent("train", "g"), std::nullopt);
  ASSERT_TRUE(outbox_->remember_sent("train", "g", kNow).ok());
  reopen();
  EXPECT_EQ(*outbox_->last_sent("train", "g"), kNow);
  EXPECT_EQ(*outbox_->last_sent("train", "h"), std::nullopt);
  ASSERT_TRUE(outbox_->prune(kNow + 89 * kDay).ok());
  EXPECT_EQ(*outbox_->last_sent("train", "g"), kNow) << "longer than any cooldown";
}

TEST_F(OutboxTest, ADamagedRowIsDroppedAndTheOthersPass) {
  put({ungrouped("1"), ungrouped("2"), ungrouped("3")});
  run("UPDATE outbox SET body=x'ffffffff' WHERE id='2'");
  EXPECT_EQ(due(kNow).size(), 2U);
  EXPECT_EQ(*outbox_->pending(), 2U);
}

TEST_F(OutboxTest, ADamagedTimeIsNeitherAddedToNorWaitedFor) {
  put({outgoing("1"), outgoing("2")});
  run("UPDATE outbox SET next_attempt_at=-9223372036854775808, created_at=-9223372036854775808 WHERE id='1'");
  EXPECT_EQ(*outbox_->next_due("hook"), 0) << "a time of which one can take another";
  EXPECT_TRUE(due(kNow).empty()) << "it stands before the other one of its group";
  EXPECT_EQ(due(kNow).size(), 1U) << "what cannot be is dropped";
  ASSERT_TRUE(outbox_->remember_sent("train", "g", kNow).ok());
  run("UPDATE outbox_sent SET at=-9223372036854775808");
  EXPECT_EQ(*outbox_->last_sent("train", "g"), std::nullopt) << "at worst it is asked for once more";
  run("UPDATE outbox SET created_at=-9223372036854775808");
  EXPECT_EQ(*outbox_->newest(), 0);
}

TEST(Outbox, SaysWhenItCannotBeOpened) {
  const auto opened = Outbox::open("/nonexistent/outbox.db");
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kIo);
  const std::string path = testing::TempDir() + "not_a_database_" + std::to_string(getpid());
  std::FILE* file = std::fopen(path.c_str(), "w");
  for (int i = 0; i < 100; ++i) std::fputs("this is no database at all, really\n", file);
  std::fclose(file);
  const auto wrong = Outbox::open(path);
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().code, ErrorCode::kCorrupt);
  std::filesystem::remove(path);
}

TEST_F(OutboxTest, RefusesTheFormatOfANewerVersion) {
  put({outgoing("1")});
  outbox_.reset();
  run("PRAGMA user_version=0");
  reopen();
  EXPECT_EQ(due(kNow).size(), 1U) << "a file of before formats had a number";
  outbox_.reset();
  run("PRAGMA user_version=3");
  const auto opened = Outbox::open(path_);
  ASSERT_FALSE(opened.ok());
  EXPECT_EQ(opened.error().code, ErrorCode::kInvalidArgument);
  run("PRAGMA user_version=2");
  reopen();
  EXPECT_EQ(due(kNow).size(), 1U);
}

TEST_F(OutboxTest, SaysWhetherItsFileIsSoundAndTakesAnotherOne) {
  put({outgoing("1")});
  EXPECT_TRUE(outbox_->check().ok());
  outbox_->close();
  EXPECT_EQ(outbox_->check().error().code, ErrorCode::kIo);
  EXPECT_EQ(outbox_->pending().error().code, ErrorCode::kIo);
  sqlite3_close(db_);
  db_ = nullptr;
  std::fstream(path_, std::ios::in | std::ios::out | std::ios::binary).seekp(4096) << std::string(4096, '\xa5');
  const Status opened = outbox_->connect();
  EXPECT_EQ((opened ? outbox_->check() : opened).error().code, ErrorCode::kCorrupt);
  outbox_->close();
  remove_files();
  ASSERT_TRUE(outbox_->connect().ok());
  EXPECT_TRUE(outbox_->check().ok());
  EXPECT_EQ(*outbox_->pending(), 0U);
}

TEST_F(OutboxTest, DropsWhatWaitsForOthers) {
  put({outgoing("1"), outgoing("2", "gone"), outgoing("3", "gone"), outgoing("4", "other")});
  mark("3", R::kDelivered, kNow);
  EXPECT_EQ(*Outbox::drop_others(db_, {"hook", "other"}, kNow), 1U) << "what was delivered stays delivered";
  EXPECT_EQ(due(kNow).size(), 1U);
  EXPECT_EQ(due(kNow, "other").size(), 1U);
  EXPECT_TRUE(due(kNow, "gone").empty());
  EXPECT_EQ(*Outbox::drop_others(db_, {"hook", "other"}, kNow), 0U);
  ASSERT_TRUE(outbox_->replay("2", kNow).ok());
  EXPECT_EQ(due(kNow, "gone").size(), 1U) << "an operator brings it back";
  EXPECT_EQ(*Outbox::drop_others(db_, {}, kNow), 3U) << "nobody is configured";
}

// Nobody was told; when the notifier is back, what fires is put again under its id.
TEST_F(OutboxTest, WhatWasDroppedWithItsNotifierCanBePutAgain) {
  put({outgoing("1", "gone"), outgoing("2", "gone")});
  mark("2", R::kDelivered, kNow);
  ASSERT_EQ(*Outbox::drop_others(db_, {"hook"}, kNow), 1U);
  put({outgoing("1", "gone"), outgoing("2", "gone")});
  const auto again = due(kNow, "gone");
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].message.id, "1");
  put({outgoing("1", "gone")});
  EXPECT_EQ(due(kNow, "gone").size(), 1U) << "once";
}

}  // namespace
}  // namespace driftd::alerts
