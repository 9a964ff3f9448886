#include "app/run/sqlite_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>

#include "core/bytes.h"
#include "core/sqlite_statement.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

// What a partition's state begins with, and something behind it.
std::string state_of(std::int64_t position, const std::string& rest = "rest", Time max_time = 100, Time closed_until = 50) {
  ByteWriter out;
  out.i64(max_time);
  out.i64(closed_until);
  out.i64(position);
  return out.take() + rest;
}

class SqliteStoreTest : public ::testing::Test {
 protected:
  std::unique_ptr<SqliteStore> open() {
    auto store = SqliteStore::open(path());
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : store.error().message);
    return store ? std::move(*store) : nullptr;
  }
  std::string path() const { return folder_.path() + "/state.db"; }
  // Number of rows changed.
  int execute(const char* sql) const {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK) << sqlite3_errmsg(db);
    const int changed = sqlite3_changes(db);
    sqlite3_close(db);
    return changed;
  }
  std::int64_t count(const char* sql) const {
    sqlite3* db = nullptr;
    EXPECT_EQ(sqlite3_open(path().c_str(), &db), SQLITE_OK);
    std::int64_t n = -1;
    {
      Statement s(db, sql);
      if (s.step().ok()) n = s.integer(0);
    }
    sqlite3_close(db);
    return n;
  }
  // "stream/partition@position" of a generation, "!" behind the damaged ones.
  static std::vector<std::string> units(SqliteStore& store, std::int64_t generation) {
    std::vector<std::string> out;
    EXPECT_TRUE(store
                    .each_unit(generation,
                               [&](const CheckpointUnit& u, const Status& intact) {
                                 EXPECT_EQ(u.damaged, !intact);
                                 out.push_back(u.stream + "/" + std::to_string(u.partition) + "@" + std::to_string(u.position) +
                                               (intact ? "" : "!"));
                               })
                    .ok());
    return out;
  }
  static Checkpoint checkpoint(std::int64_t position, Time at, std::vector<std::int64_t> partitions = {0, 1}) {
    Checkpoint out{{}, "hub " + std::to_string(at), at};
    for (const std::int64_t p : partitions) out.units.push_back({"s", p, position, "h", state_of(position)});
    out.units.push_back({"s", kMergerUnit, 0, "h", "merger"});
    return out;
  }
  ingest::TempFolder folder_;
};

using Names = std::vector<std::string>;

TEST_F(SqliteStoreTest, GivesBackWhatItTookAfterAReopen) {
  const std::string bytes("a\0b\xff", 4);
  {
    const auto store = open();
    EXPECT_TRUE(store->generations()->empty());
    ASSERT_TRUE(store->put({{{"s", 3, 42, "h", bytes}, {"s", kMergerUnit, 0, "h", "m"}}, "hub", 7}).ok());
    EXPECT_EQ(*store->put({{{"s", 3, 43, "h2", bytes + "x"}}, "hub2", 8}), 9U) << "bytes of the state and the hub";
  }
  const auto store = open();
  const auto unit = store->unit("s", 3);
  ASSERT_TRUE(unit.ok() && unit->has_value());
  EXPECT_EQ((*unit)->position, 43);
  EXPECT_EQ((*unit)->config_hash, "h2");
  EXPECT_EQ((*unit)->state, bytes + "x");
  EXPECT_FALSE((*unit)->damaged);
  EXPECT_EQ((*store->unit("s", kMergerUnit))->state, "m") << "units that were not given stay";
  EXPECT_FALSE((*store->unit("s", 4)).has_value());
  const auto generations = *store->generations();
  ASSERT_EQ(generations.size(), 2U);
  EXPECT_EQ(generations[0].at, 8);
  EXPECT_EQ(*store->hub(generations[0].number), "hub2");
  EXPECT_EQ(*store->hub(generations[1].number), "hub") << "the one before it";
  EXPECT_EQ(units(*store, generations[1].number), (Names{"s/-1@0", "s/3@42"}));
}

TEST_F(SqliteStoreTest, KeepsTwoGenerationsAndNothingOfOlderOnes) {
  const auto store = open();
  for (int n = 1; n <= 5; ++n) ASSERT_TRUE(store->put(checkpoint(n, n)).ok());
  const auto generations = *store->generations();
  ASSERT_EQ(generations.size(), 2U);
  EXPECT_EQ(units(*store, generations[0].number), (Names{"s/-1@0", "s/0@5", "s/1@5"}));
  EXPECT_EQ(units(*store, generations[1].number), (Names{"s/-1@0", "s/0@4", "s/1@4"}));
  EXPECT_EQ(count("SELECT count(*) FROM unit"), 6);
  EXPECT_EQ(count("SELECT count(*) FROM state"), 6);
}

TEST_F(SqliteStoreTest, APartitionThatIsGoneStaysWholeInBothGenerations) {
  const auto store = open();
  ASSERT_TRUE(store->put(checkpoint(1, 1, {0, 1})).ok());
  for (int n = 2; n <= 5; ++n) {
    ASSERT_TRUE(store->put(checkpoint(n, n, {0})).ok());
    const auto generations = *store->generations();
    for (const Generation& g : generations) {
      EXPECT_EQ(units(*store, g.number), (Names{"s/-1@0", "s/0@" + std::to_string(g.at), "s/1@1"})) << n;
      EXPECT_TRUE(store->hub(g.number).ok()) << "their number is right";
    }
    EXPECT_EQ(count("SELECT count(*) FROM state"), 6) << "one each, also of what is the same";
  }
  ASSERT_EQ(execute("UPDATE state SET bytes=x'00' WHERE id=(SELECT state FROM unit WHERE partition=1 ORDER BY generation DESC LIMIT 1)"),
            1);
  const auto generations = *store->generations();
  EXPECT_EQ(units(*store, generations[0].number), (Names{"s/-1@0", "s/0@5", "s/1@1!"}));
  EXPECT_EQ(units(*store, generations[1].number), (Names{"s/-1@0", "s/0@4", "s/1@1"})) << "damage of one is not damage of the other";
  // It comes back.
  ASSERT_TRUE(store->put(checkpoint(9, 9, {0, 1})).ok());
  EXPECT_EQ((*store->unit("s", 1))->position, 9);
}

// SQLite takes no value above 1,000,000,000 bytes; a state is stored in pieces of 16 MiB.
TEST_F(SqliteStoreTest, StatesMayBeLargerThanAValue) {
  constexpr std::size_t kPiece = 16U << 20;
  const auto put = [&](std::int64_t position, std::vector<std::size_t> sizes) {
    Checkpoint made = checkpoint(position, position, {});
    for (std::size_t p = 0; p < sizes.size(); ++p) {
      std::string state = state_of(position);
      for (std::size_t at = state.size(); at < sizes[p]; ++at) state += static_cast<char>(at / kPiece + at % 251 + p);
      made.units.push_back({"s", static_cast<std::int64_t>(p), position, "h", std::move(state)});
    }
    EXPECT_TRUE(open()->put(made).ok());
    return made;
  };
  const Checkpoint made = put(1, {kPiece - 1, kPiece, kPiece + 1, 2 * kPiece, 2 * kPiece + 7});
  EXPECT_EQ(count("SELECT count(*) FROM state_rest"), 4);
  const auto expect_whole = [&] {
    const auto store = open();
    for (const CheckpointUnit& u : made.units) {
      const auto read = store->unit("s", u.partition);
      ASSERT_TRUE(read.ok() && *read) << u.partition;
      EXPECT_TRUE((*read)->state == u.state) << u.partition;
    }
  };
  expect_whole();
  EXPECT_TRUE(open()->put(checkpoint(2, 2, {0, 1, 2, 3})).ok());
  EXPECT_EQ(count("SELECT count(*) FROM state_rest"), 6) << "that of the partition which is gone twice, and the others' before";
  const auto gone = open()->unit("s", 4);
  ASSERT_TRUE(gone.ok() && *gone);
  EXPECT_TRUE((*gone)->state == made.units.back().state);
  EXPECT_TRUE(open()->put(checkpoint(3, 3, {0, 1, 2, 3})).ok());
  EXPECT_EQ(count("SELECT count(*) FROM state_rest"), 4) << "nothing of older ones";
  execute("UPDATE state_rest SET bytes=zeroblob(5) WHERE chunk=2");
  EXPECT_EQ(units(*open(), 3), (Names{"s/-1@0", "s/0@3", "s/1@3", "s/2@3", "s/3@3", "s/4@1!"}));
}

TEST_F(SqliteStoreTest, OneOfTheFormatBeforeIsTakenOver) {
  EXPECT_TRUE(open()->put(checkpoint(5, 5)).ok());
  execute("DROP TABLE state_rest; UPDATE meta SET value=3 WHERE key='version'");
  EXPECT_EQ(units(*open(), 1), (Names{"s/-1@0", "s/0@5", "s/1@5"}));
  EXPECT_EQ(count("SELECT value FROM meta WHERE key='version'"), 4);
  EXPECT_TRUE(open()->put(checkpoint(6, 6)).ok());
}

TEST_F(SqliteStoreTest, SeesEveryKindOfDamage) {
  const char* damages[] = {"UPDATE unit SET position=position+1 WHERE partition=0",
                           "UPDATE unit SET config_hash='x' WHERE partition=0",
                           "UPDATE unit SET crc=crc+1 WHERE partition=0",
                           "UPDATE unit SET partition=7 WHERE partition=0",
                           "UPDATE unit SET stream='t' WHERE partition=0",
                           "UPDATE state SET bytes=zeroblob(30) WHERE id=(SELECT state FROM unit WHERE partition=0)",
                           "DELETE FROM state WHERE id=(SELECT state FROM unit WHERE partition=0)"};
  for (const char* damage : damages) {
    std::filesystem::remove_all(path());
    ASSERT_TRUE(open()->put(checkpoint(4, 1)).ok());
    ASSERT_EQ(execute(damage), 1) << damage;
    const auto store = open();
    int damaged = 0;
    ASSERT_TRUE(store->each_unit(1, [&](const CheckpointUnit&, const Status& intact) { damaged += intact ? 0 : 1; }).ok());
    EXPECT_EQ(damaged, 1) << damage;
    EXPECT_TRUE(store->hub(1).ok()) << damage;
  }
  for (const char* damage : {"UPDATE generation SET hub=x'00'", "UPDATE generation SET crc=crc+1", "UPDATE generation SET at=at+1",
                             "UPDATE generation SET units=units+1", "DELETE FROM unit WHERE partition=0"}) {
    std::filesystem::remove_all(path());
    ASSERT_TRUE(open()->put(checkpoint(4, 1)).ok());
    ASSERT_EQ(execute(damage), 1) << damage;
    const auto hub = open()->hub(1);
    ASSERT_FALSE(hub.ok()) << damage;
    EXPECT_EQ(hub.error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(SqliteStoreTest, BelievesThePositionOfADamagedUnitOnlyWhenItIsThereTwice) {
  ASSERT_TRUE(open()->put(checkpoint(42, 7)).ok());
  execute("UPDATE unit SET crc=crc+1");
  auto unit = open()->unit("s", 0);
  ASSERT_TRUE(unit.ok() && unit->has_value()) << "the state says the same";
  EXPECT_TRUE((*unit)->damaged);
  EXPECT_EQ((*unit)->position, 42);
  EXPECT_FALSE(open()->unit("s", kMergerUnit).ok()) << "a merger has none";
  execute("UPDATE unit SET position=43");
  unit = open()->unit("s", 0);
  ASSERT_FALSE(unit.ok());
  EXPECT_EQ(unit.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(unit.error().message.find("stream s, partition 0"), std::string::npos);
}

TEST_F(SqliteStoreTest, GoesBackToTheGenerationThatItIsTold) {
  const auto store = open();
  for (int n = 1; n <= 3; ++n) ASSERT_TRUE(store->put(checkpoint(n, n)).ok());
  ASSERT_TRUE(store->drop_newer(2).ok());
  EXPECT_EQ(store->generations()->size(), 1U);
  EXPECT_EQ((*store->unit("s", 0))->position, 2);
  EXPECT_EQ(count("SELECT count(*) FROM state"), 3);
  ASSERT_TRUE(store->put(checkpoint(8, 8)).ok());
  const auto generations = *store->generations();
  ASSERT_EQ(generations.size(), 2U);
  EXPECT_EQ(generations[0].at, 8);
  EXPECT_EQ(generations[1].at, 2);
}

TEST_F(SqliteStoreTest, ADamagedRowTakesNothingOfTheGenerationThatIsGoneBackTo) {
  const auto store = open();
  for (int n = 1; n <= 2; ++n) ASSERT_TRUE(store->put(checkpoint(n, n)).ok());
  execute("UPDATE unit SET state=(SELECT state FROM unit WHERE generation=1 AND partition=1) WHERE generation=2 AND partition=0");
  EXPECT_EQ(units(*store, 2), (Names{"s/-1@0", "s/0@2!", "s/1@2"}));
  ASSERT_TRUE(store->drop_newer(1).ok());
  EXPECT_EQ(units(*store, 1), (Names{"s/-1@0", "s/0@1", "s/1@1"}));
}

TEST_F(SqliteStoreTest, ProgressIsOfTheNewestGeneration) {
  const auto store = open();
  ASSERT_TRUE(store->put({{{"s", 0, 1, "h", state_of(1, "", 500, 400)}, {"s", 1, 1, "h", state_of(1, "", 700, 300)}}, "", 1}).ok());
  ASSERT_TRUE(store->put({{{"s", 1, 2, "h", state_of(2, "", 600, 300)}}, "", 2}).ok());
  EXPECT_EQ(store->progress("s")->max_time, 600);
  EXPECT_EQ(store->progress("s")->closed_until, 400);
  EXPECT_EQ(store->progress("t")->max_time, kNoTime);
}

TEST_F(SqliteStoreTest, AStreamThatIsRemovedIsGoneAtOnceAndFromTheNextCheckpoint) {
  const auto store = open();
  ASSERT_TRUE(store->put(checkpoint(1, 1)).ok());
  ASSERT_TRUE(store->put({{{"t", 0, 5, "h", state_of(5)}}, "", 2}).ok());
  ASSERT_TRUE(store->remove("s").ok());
  EXPECT_FALSE(store->unit("s", 0)->has_value());
  EXPECT_EQ(store->progress("s")->max_time, kNoTime);
  ASSERT_TRUE(store->put({{}, "", 3}).ok());
  EXPECT_EQ(units(*store, store->generations()->front().number), (Names{"t/0@5"}));
  ASSERT_TRUE(store->put(checkpoint(2, 4)).ok()) << "it may come again";
  EXPECT_EQ((*store->unit("s", 0))->position, 2);
}

TEST_F(SqliteStoreTest, CanBeReadWhileItIsWritten) {
  const auto store = open();
  ASSERT_TRUE(store->put(checkpoint(1, 1)).ok());
  auto reader = SqliteStore::open_to_read(path());
  ASSERT_TRUE(reader.ok()) << reader.error().message;
  ASSERT_EQ((*reader)->generations()->size(), 1U);
  for (int n = 2; n <= 4; ++n) ASSERT_TRUE(store->put(checkpoint(n, n)).ok()) << "a reader holds nothing up";
  EXPECT_EQ((*reader)->generations()->front().at, 1) << "one moment of the store";
  EXPECT_EQ(units(**reader, 1), (Names{"s/-1@0", "s/0@1", "s/1@1"}));
  EXPECT_FALSE((*reader)->put(checkpoint(9, 9)).ok());
  const auto none = SqliteStore::open_to_read(folder_.path() + "/none.db");
  ASSERT_FALSE(none.ok());
  EXPECT_EQ(none.error().code, ErrorCode::kNotFound);
}

TEST_F(SqliteStoreTest, AnotherVersionOrNoDatabaseIsRefused) {
  open();
  execute("UPDATE meta SET value=99 WHERE key='version'");
  for (const bool read : {false, true}) {
    const auto store = read ? SqliteStore::open_to_read(path()) : SqliteStore::open(path());
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(store.error().code, ErrorCode::kInvalidArgument);
    EXPECT_NE(store.error().message.find("format 99"), std::string::npos) << store.error().message;
  }
  const std::string text = folder_.path() + "/text.db";
  std::ofstream(text) << std::string(5000, 'x');
  for (const bool read : {false, true}) {
    const auto store = read ? SqliteStore::open_to_read(text) : SqliteStore::open(text);
    ASSERT_FALSE(store.ok());
    EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
  }
}

TEST_F(SqliteStoreTest, MakesANewFileOfWhatIsWhole) {
  const auto store = open();
  ASSERT_TRUE(store->put(checkpoint(1, 1)).ok());
  ASSERT_TRUE(store->put(checkpoint(2, 2)).ok());
  execute("UPDATE unit SET crc=crc+1 WHERE partition=1");
  EXPECT_TRUE(store->pages().ok());
  const auto aside = store->rebuild(2, 77 * kSecond);
  ASSERT_TRUE(aside.ok()) << aside.error().message;
  EXPECT_EQ(*aside, path() + ".damaged-77");
  EXPECT_TRUE(std::filesystem::exists(*aside));
  const auto generations = *store->generations();
  ASSERT_EQ(generations.size(), 1U);
  EXPECT_EQ(generations[0].at, 2);
  EXPECT_EQ(units(*store, generations[0].number), (Names{"s/-1@0", "s/0@2"}));
  EXPECT_EQ(*store->hub(generations[0].number), "hub 2");
  EXPECT_TRUE(store->put(checkpoint(3, 3)).ok());

  execute("UPDATE generation SET crc=crc+1");
  ASSERT_TRUE(store->rebuild(store->generations()->front().number, 78 * kSecond).ok());
  EXPECT_NE(*store->hub(store->generations()->front().number), "") << "a lost hub is not the empty one of a first start";
}

// A kill between the steps of rebuild() and begin_anew() leaves a PATH.ready, and the old file, or none, or only its log.
TEST_F(SqliteStoreTest, GoesOnWithTheNewFileAfterAKill) {
  for (const char* left : {"", "-wal", "none"}) {
    ASSERT_TRUE(open()->put(checkpoint(7, 7)).ok());
    std::filesystem::rename(path(), path() + ".ready");
    if (left != std::string("none")) std::ofstream(path() + left) << std::string(5000, 'x');
    const auto store = open();
    EXPECT_EQ(store->generations()->front().at, 7) << left;
    EXPECT_EQ(*store->hub(1), "hub 7") << left;
    EXPECT_FALSE(std::filesystem::exists(path() + ".ready"));
    std::filesystem::remove(path());
  }
}

TEST_F(SqliteStoreTest, AnOldFileThatCannotGoIsReplacedByTheNextCheckpoint) {
  ASSERT_TRUE(open()->put(checkpoint(5, 5)).ok());
  std::filesystem::rename(path(), path() + ".ready");
  const auto store = [&] {
    std::filesystem::rename(path() + ".ready", path() + ".later");
    return open();
  }();
  std::filesystem::rename(path() + ".later", path() + ".ready");
  ASSERT_TRUE(store->put(checkpoint(6, 6)).ok());
  const auto generations = *store->generations();
  ASSERT_EQ(generations.size(), 2U);
  EXPECT_EQ(generations[0].at, 6);
  EXPECT_EQ(generations[1].at, 5);
}

TEST_F(SqliteStoreTest, TheOldFileStaysWhileNoNewOneCanBeMade) {
  const auto store = open();
  ASSERT_TRUE(store->put(checkpoint(1, 1)).ok());
  std::filesystem::create_directories(path() + ".new/in_the_way");
  EXPECT_FALSE(store->rebuild(1, kSecond).ok());
  EXPECT_FALSE(SqliteStore::begin_anew(path(), kSecond).ok());
  EXPECT_EQ(*store->hub(1), "hub 1");
  ASSERT_TRUE(store->put(checkpoint(2, 2)).ok());
  std::filesystem::remove_all(path() + ".new");
  ASSERT_TRUE(store->rebuild(2, kSecond).ok());
  EXPECT_EQ(*store->hub(1), "hub 2");
}

TEST_F(SqliteStoreTest, SaysThatPagesAreDamaged) {
  {
    const auto store = open();
    for (int n = 1; n <= 2; ++n) {
      Checkpoint large = checkpoint(n, n);
      large.units[0].state.resize(200000, 'x');
      ASSERT_TRUE(store->put(large).ok());
    }
  }
  std::fstream file(path(), std::ios::in | std::ios::out | std::ios::binary);
  for (const int page : {20, 40, 60, 80}) {  // the number of the page that follows stands at a page's begin
    file.seekp(page * 4096);
    file << "\xff\xff\xff\xff";
  }
  file.close();
  const auto store = SqliteStore::open_to_read(path());
  ASSERT_TRUE(store.ok());
  EXPECT_FALSE((*store)->pages().ok());
}

TEST_F(SqliteStoreTest, SettingAsideMovesAllOfItsFiles) {
  for (const char* suffix : {"", "-wal", "-shm"}) std::ofstream(path() + suffix) << "x" << suffix;
  const auto aside = set_aside(path(), 1700000000 * kSecond);
  ASSERT_TRUE(aside.ok()) << aside.error().message;
  EXPECT_EQ(*aside, path() + ".damaged-1700000000");
  for (const char* suffix : {"", "-wal", "-shm"}) {
    EXPECT_FALSE(std::filesystem::exists(path() + suffix));
    EXPECT_TRUE(std::filesystem::exists(*aside + suffix));
  }
  EXPECT_TRUE(set_aside(path(), 0).ok()) << "nothing there is nothing to do";
}

}  // namespace
}  // namespace driftd::app
