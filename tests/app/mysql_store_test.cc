// What a whole driftd does on it is in tests/e2e/test_shared_store.py.
#include "app/run/mysql_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/bytes.h"
#include "tests/app/mariadb_server.h"

namespace driftd::app {
namespace {

using stats::MysqlSession;
using Lease = MysqlStore::Lease;

// Bytes of all values, that quoting makes longer.
std::string bytes_of(std::size_t size) {
  std::string out(size, '\0');
  for (std::size_t i = 0; i < size; ++i) out[i] = static_cast<char>(i * 7 + i / 251);
  return out;
}

class MysqlStoreTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { server_ = std::make_unique<MariaDbServer>(); }
  static void TearDownTestSuite() { server_.reset(); }

  void SetUp() override { connection_ = server_->fresh_database(); }

  std::unique_ptr<MysqlStore> open(const std::string& instance, Duration lease = 30 * kSecond) const {
    auto store = MysqlStore::open(connection_, instance, lease);
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : store.error().message);
    if (!store) return nullptr;
    (*store)->share("plant");
    return std::move(*store);
  }
  MysqlSession session() const {
    auto made = MysqlSession::connect(connection_);
    EXPECT_TRUE(made.ok());
    return std::move(*made);
  }
  // Rows found.
  std::uint64_t execute(const std::string& sql) const {
    const auto done = session().execute(sql);
    EXPECT_TRUE(done.ok()) << (done.ok() ? "" : done.error().message);
    return done ? *done : 0;
  }
  std::int64_t count(const std::string& table) const {
    const auto rows = session().query("SELECT COUNT(*) FROM " + table);
    return rows ? MysqlSession::integer((*rows)[0][0]) : -1;
  }
  std::int64_t status(const std::string& name) const {
    const auto rows = session().query("SHOW GLOBAL STATUS LIKE '" + name + "'");
    return rows && rows->size() == 1 ? MysqlSession::integer((*rows)[0][1]) : -1;
  }
  // All sessions of the test's stores.
  void cut_off() const {
    const auto sessions = session().query("SELECT id FROM information_schema.processlist WHERE db=DATABASE() AND id<>CONNECTION_ID()");
    ASSERT_FALSE(sessions->empty());
    for (const auto& row : *sessions) {
      const auto killed = session().execute("KILL " + *row[0]);
      EXPECT_TRUE(killed.ok() || killed.error().message.find("Unknown thread id") != std::string::npos) << "one may have ended by itself";
    }
  }
  // For a lock.
  void wait_until_somebody_waits() const {
    const auto give_up = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (status("Innodb_row_lock_current_waits") != 1) {
      ASSERT_LT(std::chrono::steady_clock::now(), give_up);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
  // The partition is taken over and put.
  static void put(MysqlStore& store, std::int64_t partition, std::int64_t position, const std::string& state) {
    const auto before = store.unit("plant", partition);  // a damaged one is taken over too
    ASSERT_TRUE(before || before.error().code == ErrorCode::kCorrupt) << before.error().message;
    const auto put = store.put({{{"plant", partition, position, "conf", state}}, "hub", 0});
    ASSERT_TRUE(put) << put.error().message;
  }
  static HandOver handed_over(std::uint32_t partition, Time end, const std::string& output) {
    return {{{"plant", partition, end, "conf", "ref", output}}, {{"plant", partition, "conf", end, 5, false}}};
  }

  stats::MysqlConnection connection_;

 private:
  static std::unique_ptr<MariaDbServer> server_;
};
std::unique_ptr<MariaDbServer> MysqlStoreTest::server_;

TEST_F(MysqlStoreTest, GivesBackWhatWasPut) {
  const std::string large = bytes_of(1'500'000);  // more than a packet of this server
  {
    const auto store = open("a");
    put(*store, 0, 7, large);
    put(*store, 1, 8, "");
    const auto own = store->put({{{"journal", 0, 9, "other", "own"}}, large, 0});
    ASSERT_TRUE(own);
    EXPECT_EQ(*own, 3 + large.size());
    put(*store, 0, 10, "shorter");  // leaves no chunk of what was there
    put(*store, 2, 11, large);
  }
  const auto store = open("a");
  const auto expect = [&](const char* stream, std::int64_t partition, std::int64_t position, const std::string& state) {
    const auto unit = store->unit(stream, partition);
    ASSERT_TRUE(unit) << unit.error().message;
    ASSERT_TRUE(*unit);
    EXPECT_EQ((*unit)->position, position);
    EXPECT_EQ((*unit)->state, state);
  };
  expect("plant", 0, 10, "shorter");
  expect("plant", 1, 8, "");
  expect("plant", 2, 11, large);
  expect("journal", 0, 9, "own");
  EXPECT_EQ(*store->hub(), "hub");
  EXPECT_EQ(*store->unit("plant", 3), std::nullopt) << "taken over, but there is no checkpoint";
  // Another driftd has the shared stream's partitions, not the other's own.
  const auto other = open("b");
  EXPECT_TRUE(*other->unit("plant", 1));
  EXPECT_EQ(*other->unit("journal", 0), std::nullopt);
  EXPECT_EQ(*other->hub(), std::nullopt);
  ASSERT_TRUE(store->remove("journal"));
  EXPECT_EQ(*store->unit("journal", 0), std::nullopt);
  ASSERT_TRUE(store->remove("plant"));
  EXPECT_TRUE(*store->unit("plant", 2)) << "others may have the stream still";
}

TEST_F(MysqlStoreTest, SaysHowFarPartitionsAre) {
  const auto store = open("a");
  EXPECT_EQ(store->progress("plant")->max_time, kNoTime);
  for (const std::int64_t partition : {0, 1}) {
    ByteWriter state;
    state.i64(100 + partition);
    state.i64(50 - partition);
    put(*store, partition, 0, state.take() + "rest");
  }
  const auto progress = store->progress("plant");
  ASSERT_TRUE(progress);
  EXPECT_EQ(progress->max_time, 101);
  EXPECT_EQ(progress->closed_until, 50);
}

TEST_F(MysqlStoreTest, LeavesOutWhatAnotherHasTakenOver) {
  const auto old = open("a"), now = open("b");
  put(*old, 0, 1, "old");
  put(*old, 1, 1, "old");
  put(*now, 0, 2, "new");
  ASSERT_TRUE(old->put({{{"plant", 0, 3, "conf", "stale"}, {"plant", 1, 3, "conf", "fresh"}}, "hub", 0, handed_over(0, 10, "stale")}));
  EXPECT_EQ(old->fenced(), (std::vector<std::pair<std::string, std::int64_t>>{{"plant", 0}}));
  EXPECT_TRUE(old->fenced().empty());
  const auto fenced = now->unit("plant", 0), kept = now->unit("plant", 1);
  EXPECT_EQ((*fenced)->state, "new");
  EXPECT_EQ((*kept)->state, "fresh");
  EXPECT_EQ(now->news("plant", "conf", {}, {})->progress[0].closed_until, kNoTime) << "how far it is says who has it";
  EXPECT_TRUE(now->news("plant", "conf", {}, {})->outputs.empty()) << "nor what the clock closed there";
  // Taken over by itself too: what was read before a restart of the stream is not what is put after it.
  ASSERT_TRUE(old->unit("plant", 0));
  ASSERT_TRUE(old->put({{{"plant", 0, 4, "conf", "again"}}, "hub", 0}));
  EXPECT_EQ((*now->unit("plant", 0))->state, "again");
}

TEST_F(MysqlStoreTest, NamesADamagedState) {
  const auto store = open("a");
  const std::string state = bytes_of(600'000);
  const auto expect_damaged = [&](const std::string& damage) {
    put(*store, 0, 7, state);
    ASSERT_EQ(execute(damage), 1U) << damage;
    const auto unit = store->unit("plant", 0);
    ASSERT_FALSE(unit) << damage;
    EXPECT_EQ(unit.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(unit.error().message, ::testing::HasSubstr("stream plant, partition 0: its checksum does not match"));
    std::size_t seen = 0;
    ASSERT_TRUE(store->each_unit([&](const std::string& owner, const CheckpointUnit& read, const Status& intact) {
      if (read.partition != 0) return;
      ++seen;
      EXPECT_EQ(owner, "a");
      EXPECT_FALSE(intact);
    }));
    EXPECT_EQ(seen, 1U);
  };
  expect_damaged("UPDATE driftd_state SET bytes=CONCAT('x', SUBSTR(bytes, 2)) WHERE stream='plant' AND chunk=1");
  expect_damaged("DELETE FROM driftd_state WHERE stream='plant' AND chunk=1");
  expect_damaged("INSERT INTO driftd_state VALUES('', 'plant', 0, 9, 'x')");
  expect_damaged("UPDATE driftd_unit SET position=position+1 WHERE stream='plant' AND part=0");
  put(*store, 0, 8, state);
  EXPECT_TRUE(store->unit("plant", 0));
}

TEST_F(MysqlStoreTest, LooksAtOneMoment) {
  const auto store = open("a");
  put(*store, 0, 1, "before");
  put(*store, 1, 1, "before");
  std::vector<std::string> seen;
  const auto looking = MysqlStore::open_to_read(connection_);
  ASSERT_TRUE(looking->each_unit([&](const std::string&, const CheckpointUnit& unit, const Status& intact) {
    EXPECT_TRUE(intact);
    if (unit.stream == "plant") seen.push_back(unit.state);
    ASSERT_TRUE(store->put({{{"plant", 1, 2, "conf", "written meanwhile"}}, "hub", 0}));
  }));
  EXPECT_EQ(seen, (std::vector<std::string>{"before", "before"}));
}

TEST_F(MysqlStoreTest, OneLeadsAtATime) {
  const auto first = open("a"), second = open("b");
  EXPECT_EQ(*first->lead("plant", {}), Lease::kLeads);
  EXPECT_EQ(*second->lead("plant", {}), Lease::kFollows);
  EXPECT_EQ(*first->lead("plant", {}), Lease::kLeads) << "renewed";
  EXPECT_TRUE(*first->led_before("plant"));
  EXPECT_FALSE(*second->led_before("plant"));
  // Given up in good order: the next one at once.
  ASSERT_TRUE(first->resign("plant"));
  EXPECT_EQ(*second->lead("plant", {}), Lease::kLeads);
  EXPECT_EQ(*first->lead("plant", {}), Lease::kFollows);
  // Not renewed: only who has seen it over some times takes it.
  execute("UPDATE driftd_unit SET beat=NOW(6)-INTERVAL 1 MINUTE WHERE part=-1");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(*first->lead("plant", {}), Lease::kFollows);
  EXPECT_EQ(*first->lead("plant", {}), Lease::kLeads);
  EXPECT_EQ(*second->lead("plant", {}), Lease::kLost);
  const auto put = second->put({{{"plant", kMergerUnit, 0, "conf", "stale"}}, "hub", 0});
  ASSERT_FALSE(put);
  EXPECT_EQ(put.error().code, ErrorCode::kAlreadyExists);
  // After a restart it is still its own.
  EXPECT_EQ(*open("a")->lead("plant", {}), Lease::kLeads);
}

TEST_F(MysqlStoreTest, SaysWhatWaitsAndWhatNobodyReads) {
  const auto leader = open("a"), follower = open("b");
  ASSERT_EQ(*leader->lead("plant", {}), Lease::kLeads);
  EXPECT_EQ(*follower->waiting("plant"), MysqlStore::Waiting());
  ASSERT_TRUE(leader->tell_waiting("plant", {40, 20}));
  EXPECT_EQ(*follower->waiting("plant"), (MysqlStore::Waiting{40, 20}));
  ASSERT_TRUE(follower->unit("plant", 0));
  ASSERT_TRUE(follower->unit("plant", 1));
  execute("UPDATE driftd_unit SET beat=NOW(6)-INTERVAL 90 SECOND WHERE part>=0");
  ASSERT_EQ(*follower->lead("plant", {1}), Lease::kFollows);
  const auto news = leader->news("plant", "conf", {}, {});
  EXPECT_GE(news->unread.at(0), 90 * kSecond);
  EXPECT_LT(news->unread.at(1), 60 * kSecond);
}

TEST_F(MysqlStoreTest, WhatIsHandedOverStaysUntilAMergerHasIt) {
  const auto leader = open("a"), follower = open("b");
  ASSERT_EQ(*leader->lead("plant", {}), Lease::kLeads);
  const std::string large = bytes_of(3'000'000);
  ASSERT_TRUE(follower->unit("plant", 1));
  ASSERT_TRUE(follower->hand_over(handed_over(1, 20, "later")));
  const auto put = follower->put({{{"plant", 1, 7, "conf", "state"}}, "hub", 0, handed_over(1, 10, large)});
  ASSERT_TRUE(put) << put.error().message;
  ASSERT_TRUE(follower->hand_over(handed_over(1, 10, large))) << "a second time is passed over";
  EXPECT_EQ(count("driftd_output"), 2);

  const auto news = leader->news("plant", "conf", {}, {});
  ASSERT_TRUE(news) << news.error().message;
  EXPECT_EQ(news->progress, (std::vector<HandOverProgress>{{"plant", 1, "conf", 10, 5, false}}));
  ASSERT_EQ(news->outputs.size(), 2U);
  const HandedOver& first = news->outputs[0].what;
  EXPECT_EQ(std::make_pair(first.partition, first.end), std::make_pair(1U, Time{10}));
  EXPECT_EQ(first.config_hash + first.reference, "confref");
  EXPECT_EQ(first.output, large);
  EXPECT_EQ(news->outputs[1].what.output, "later");
  const auto others = leader->news("plant", "conf", {news->outputs[0].id}, {});
  ASSERT_EQ(others->outputs.size(), 1U);
  EXPECT_EQ(others->outputs[0].what.end, 20);

  Checkpoint taken{{{"plant", kMergerUnit, 0, "conf", "merger"}}, "hub", 0, {}, {news->outputs[0].id}};
  ASSERT_TRUE(leader->put(taken));
  EXPECT_EQ(count("driftd_output"), 1);
  EXPECT_EQ(count("driftd_output_chunk"), 1);
  // With a merger that may not be stored nothing is deleted.
  execute("UPDATE driftd_unit SET epoch=epoch+1 WHERE part=-1");
  taken.taken = {news->outputs[1].id};
  EXPECT_FALSE(leader->put(taken));
  EXPECT_EQ(count("driftd_output_chunk"), 1);
}

TEST_F(MysqlStoreTest, ReadsTheOldestWindowsFirstAndNoMoreThanThereIsRoomFor) {
  const auto leader = open("a");
  ASSERT_EQ(*leader->lead("plant", {}), Lease::kLeads);
  HandOver rows;
  for (const std::uint32_t partition : {0U, 1U, 2U}) {
    for (const Time end : {10, 20, 30}) rows.outputs.push_back({"plant", partition, end, "conf", "", bytes_of(100)});
  }
  ASSERT_TRUE(leader->hand_over(rows));
  // "partition@end", and up to where that is all.
  const auto read = [&](const std::set<std::int64_t>& known, const MysqlStore::Room& room) {
    const auto news = leader->news("plant", "conf", known, room);
    EXPECT_TRUE(news) << news.error().message;
    std::string out;
    for (const auto& o : news->outputs) out += std::to_string(o.what.partition) + "@" + std::to_string(o.what.end) + " ";
    return out + (news->complete_until ? std::to_string(*news->complete_until) : "all");
  };
  // Of another configuration: takes no room, and what it holds back nobody waits for.
  ASSERT_TRUE(leader->hand_over({{{"plant", 7, 5, "before", "", bytes_of(5000)}}, {}}));
  const std::string all = "0@10 0@20 0@30 1@10 1@20 1@30 2@10 2@20 2@30 all";
  EXPECT_EQ(read({}, {}), all);
  const auto room = [](std::size_t bytes, Time oldest, std::size_t at_once = 0, Time closed_here = kNoTime,
                       std::set<std::uint32_t> all_of = {}) {
    return MysqlStore::Room{bytes, std::max(bytes, at_once), oldest, closed_here, std::move(all_of)};
  };
  EXPECT_EQ(read({}, room(900, kNoTime)), all);
  EXPECT_EQ(read({}, room(899, kNoTime)), "0@10 0@20 1@10 1@20 2@10 2@20 29");
  EXPECT_EQ(read({}, room(0, kNoTime)), "0@10 1@10 2@10 19") << "one in any case";
  EXPECT_EQ(read({}, room(0, 9)), "9") << "but not while others wait";
  EXPECT_EQ(read({}, room(0, 20, 600)), "0@10 0@20 1@10 1@20 2@10 2@20 29") << "what waits is done with";
  EXPECT_EQ(read({}, room(0, 20)), "0@10 1@10 2@10 19") << "but not all at once";
  EXPECT_EQ(read({}, room(0, 10, 300, kNoTime, {2})), "0@10 1@10 2@10 2@20 2@30 19") << "and of some all";
  EXPECT_EQ(leader->news("plant", "conf", {}, room(0, 10, 300, kNoTime, {2}))->left_of, (std::set<std::uint32_t>{0, 1}));
  EXPECT_EQ(leader->news("plant", "conf", {}, {})->left_of, std::set<std::uint32_t>());
  std::set<std::int64_t> known;
  const auto oldest = leader->news("plant", "conf", {}, room(0, 20, 600));
  for (const auto& o : oldest->outputs) known.insert(o.id);
  EXPECT_EQ(read(known, room(299, kNoTime)), "0@30 1@30 2@30 all") << "what is known takes no room";
  EXPECT_EQ(read(known, room(299, 20)), "29");
  // So is what all have closed, here and elsewhere.
  const auto follower = open("b");
  for (const std::uint32_t partition : {0U, 1U}) {
    ASSERT_TRUE(follower->unit("plant", partition));
    ASSERT_TRUE(follower->hand_over({{}, {{"plant", partition, "conf", partition == 0 ? Time{30} : Time{20}, 5, false}}}));
  }
  EXPECT_EQ(read({}, room(0, 5, 600, 30)), "0@10 0@20 1@10 1@20 2@10 2@20 29");
  EXPECT_EQ(read({}, room(0, 5, 600, 10)), "0@10 1@10 2@10 19");
  ASSERT_TRUE(follower->hand_over({{}, {{"plant", 1, "conf", 20, 5, true}}}));
  EXPECT_EQ(read({}, room(0, 5, 900, 30)), all) << "1 is idle";
  EXPECT_TRUE(leader->news("plant", "conf", {}, {})->of_before.empty());
  ASSERT_TRUE(follower->unit("plant", 7));
  EXPECT_EQ(read({}, room(0, 10, 900, 30)), "0@10 1@10 2@10 19") << "7 has not told this configuration";
  ASSERT_TRUE(follower->hand_over({{}, {{"plant", 7, "conf", 30, 5, false}}}));
  EXPECT_EQ(leader->news("plant", "conf", {}, {})->of_before.size(), 1U) << "to be deleted";
}

TEST_F(MysqlStoreTest, ThousandsOfOutputsAreReadAndDeleted) {
  const auto leader = open("a");
  ASSERT_EQ(*leader->lead("plant", {}), Lease::kLeads);
  HandOver many;
  for (int i = 2500; i > 0; --i)
    many.outputs.push_back({"plant", 1, i, "conf", "", i % 500 == 0 ? bytes_of(3'000'000) : std::to_string(i)});
  ASSERT_TRUE(leader->hand_over(many));
  const auto news = leader->news("plant", "conf", {}, {});
  ASSERT_TRUE(news) << news.error().message;
  ASSERT_EQ(news->outputs.size(), 2500U);
  Checkpoint taken{{}, "hub", 0, {}, {}};
  for (std::size_t i = 0; i < 2500; ++i) {
    const HandedOver& read = news->outputs[i].what;
    ASSERT_EQ(read.end, static_cast<Time>(i + 1)) << "in the order of windows";
    ASSERT_EQ(read.output, many.outputs[2500 - i - 1].output);
    taken.taken.push_back(news->outputs[i].id);
  }
  ASSERT_TRUE(leader->put(taken));
  EXPECT_EQ(count("driftd_output") + count("driftd_output_chunk"), 0);
}

TEST_F(MysqlStoreTest, NamesADamagedOutput) {
  const auto store = open("a");
  const auto expect_damaged = [&](const std::string& damage, const std::string& how) {
    execute("DELETE FROM driftd_output");
    execute("DELETE FROM driftd_output_chunk");
    ASSERT_TRUE(store->hand_over(handed_over(1, 10, bytes_of(600'000))));
    ASSERT_TRUE(store->news("plant", "conf", {}, {}));
    ASSERT_EQ(execute(damage), 1U) << damage;
    const auto news = store->news("plant", "conf", {}, {});
    ASSERT_FALSE(news) << damage;
    EXPECT_EQ(news.error().code, ErrorCode::kCorrupt);
    EXPECT_THAT(news.error().message, ::testing::HasSubstr("what partition 1 of stream plant handed over is damaged: " + how));
  };
  expect_damaged("UPDATE driftd_output_chunk SET bytes=CONCAT('x', SUBSTR(bytes, 2)) WHERE chunk=1", "its checksum does not match");
  expect_damaged("DELETE FROM driftd_output_chunk WHERE chunk=1", "its chunks have 337856 bytes, not 600000");
  expect_damaged("INSERT INTO driftd_output_chunk SELECT id, 9, 'x' FROM driftd_output", "its chunks have 600001 bytes, not 600000");
  expect_damaged("UPDATE driftd_output SET size=1 << 60", "its chunks have 600000 bytes, not 1152921504606846976");
}

TEST_F(MysqlStoreTest, RefusesAServerThatTakesShortStatementsOnly) {
  execute("SET GLOBAL max_allowed_packet=524288");
  const auto store = MysqlStore::open(connection_, "a", 0);
  execute("SET GLOBAL max_allowed_packet=1048576");
  ASSERT_FALSE(store);
  EXPECT_THAT(store.error().message, ::testing::HasSubstr("set its max_allowed_packet to 1048576 or more"));
}

TEST_F(MysqlStoreTest, GoesOnWhenTheConnectionWasLost) {
  const auto store = open("a");
  put(*store, 0, 1, "before");
  cut_off();
  const Checkpoint next{{{"plant", 0, 2, "conf", "after"}}, "hub", 0};
  const auto lost = store->put(next);
  ASSERT_FALSE(lost);
  EXPECT_EQ(lost.error().code, ErrorCode::kUnavailable);
  ASSERT_TRUE(store->put(next));
  EXPECT_EQ((*store->unit("plant", 0))->state, "after");
}

// Another session has row 1, the checkpoint row 0, and each wants the other's. The server ends the one that has done less.
TEST_F(MysqlStoreTest, ADeadlockIsTriedAgain) {
  const auto store = open("a"), other = open("b");
  for (const std::int64_t partition : {0, 1, 5}) put(*store, partition, 1, "before");
  ASSERT_TRUE(other->unit("plant", 5));
  const std::int64_t deadlocks = status("Innodb_deadlocks");
  MysqlSession rival = session();
  std::string ballast = "INSERT INTO ballast VALUES(0)";
  for (int i = 1; i < 1000; ++i) ballast += ",(" + std::to_string(i) + ")";
  for (const std::string& sql : {std::string("CREATE TABLE ballast(n INT PRIMARY KEY) ENGINE=InnoDB"), std::string("BEGIN"), ballast,
                                 std::string("UPDATE driftd_unit SET idle=0 WHERE scope='' AND stream='plant' AND part=1")}) {
    ASSERT_TRUE(rival.execute(sql));
  }
  const Checkpoint next{{{"plant", 5, 2, "conf", "stale"}, {"plant", 0, 2, "conf", "after"}, {"plant", 1, 2, "conf", "after"}},
                        "hub",
                        0,
                        handed_over(1, 10, "once")};
  auto put = std::async(std::launch::async, [&] { return store->put(next); });
  wait_until_somebody_waits();
  const auto won = rival.execute("UPDATE driftd_unit SET idle=0 WHERE scope='' AND stream='plant' AND part=0");
  EXPECT_TRUE(won) << won.error().message;
  ASSERT_TRUE(rival.execute("COMMIT"));
  const auto done = put.get();
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(status("Innodb_deadlocks"), deadlocks + 1);
  EXPECT_EQ(*done, 3 * 5U + 3);
  EXPECT_EQ(store->fenced().size(), 1U) << "of the second time only";
  EXPECT_EQ((*store->unit("plant", 0))->state, "after");
  EXPECT_EQ((*store->unit("plant", 1))->state, "after");
  EXPECT_EQ(store->news("plant", "conf", {}, {})->outputs.size(), 1U);
}

TEST_F(MysqlStoreTest, ALockThatLastsIsWaitedForAgain) {
  const auto store = open("a");
  put(*store, 0, 1, "before");
  MysqlSession rival = session();
  ASSERT_TRUE(rival.execute("BEGIN"));
  ASSERT_TRUE(rival.execute("UPDATE driftd_unit SET idle=0 WHERE scope='' AND stream='plant' AND part=0"));
  auto put = std::async(std::launch::async, [&] { return store->put({{{"plant", 0, 2, "conf", "after"}}, "hub", 0}); });
  EXPECT_EQ(put.wait_for(std::chrono::milliseconds(2500)), std::future_status::timeout) << "more than one wait for a lock";
  ASSERT_TRUE(rival.execute("COMMIT"));
  const auto done = put.get();
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ((*store->unit("plant", 0))->state, "after");
}

TEST_F(MysqlStoreTest, RefusesTablesOfAnotherFormat) {
  const auto expect_refused = [&](const std::string& what) {
    const std::string why = "the shared store: its tables are of " + what + ", and this one (";
    const auto opened = MysqlStore::open(connection_, "b", 0);
    ASSERT_FALSE(opened);
    EXPECT_THAT(opened.error().message, ::testing::StartsWith(why));
    EXPECT_THAT(opened.error().message, ::testing::HasSubstr("reads and writes format 2 only"));
    const Status looked = MysqlStore::open_to_read(connection_)->each_unit([](const auto&...) { FAIL(); });
    ASSERT_FALSE(looked);
    EXPECT_THAT(looked.error().message, ::testing::StartsWith(why));
  };
  const auto store = open("a");
  put(*store, 0, 1, "before");
  ASSERT_TRUE(MysqlStore::open(connection_, "b", 0)) << "of the same format";
  execute("UPDATE driftd_format SET format=3");
  expect_refused("a newer driftd, of format 3");
  // One that runs while others were updated.
  ASSERT_TRUE(store->put({{}, "hub", 0})) << "not before it connects again";
  cut_off();
  const Checkpoint next{{{"plant", 0, 2, "conf", "after"}}, "hub", 0};
  EXPECT_FALSE(store->put(next));
  const auto refused = store->put(next);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, ::testing::HasSubstr("its tables are of a newer driftd, of format 3"));
  execute("UPDATE driftd_format SET format=2");
  EXPECT_TRUE(store->put(next));
  // Before there were formats.
  execute("DROP TABLE driftd_format");
  expect_refused("an older driftd, of format 1");
  EXPECT_EQ(count("information_schema.tables WHERE table_schema=DATABASE() AND table_name='driftd_format'"), 0) << "left as it was";
}

TEST_F(MysqlStoreTest, LookingMakesNoTables) {
  const auto store = MysqlStore::open_to_read(connection_);
  EXPECT_FALSE(store->each_unit([](const std::string&, const CheckpointUnit&, const Status&) { FAIL(); }));
  EXPECT_TRUE(session().query("SHOW TABLES")->empty());
}

}  // namespace
}  // namespace driftd::app
