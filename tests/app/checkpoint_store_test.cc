#include "app/run/checkpoint_store.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace driftd::app {
namespace {

class CheckpointStoreTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/driftd-store-XXXXXX";
    ASSERT_NE(mkdtemp(name), nullptr);
    folder_ = name;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::unique_ptr<CheckpointStore> open() {
    auto store = CheckpointStore::open(folder_ + "/state.db");
    EXPECT_TRUE(store.ok()) << (store.ok() ? "" : store.error().message);
    return store ? std::move(*store) : nullptr;
  }
  void execute(const char* sql) {
    sqlite3* db = nullptr;
    ASSERT_EQ(sqlite3_open((folder_ + "/state.db").c_str(), &db), SQLITE_OK);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
  }
  std::string folder_;
};

TEST_F(CheckpointStoreTest, GivesBackWhatItTookAfterAReopen) {
  const std::string bytes("a\0b\xff", 4);
  {
    const auto store = open();
    EXPECT_EQ(*store->saved_at(), 0);
    EXPECT_EQ(*store->hub(), "");
    ASSERT_TRUE(store->put({{{"s", 3, 42, "h", bytes}, {"s", kMergerUnit, 0, "h", "m"}}, "hub", 7}).ok());
    ASSERT_TRUE(store->put({{{"s", 3, 43, "h2", bytes + "x"}}, "hub2", 8}).ok());
  }
  const auto store = open();
  const auto unit = store->unit("s", 3);
  ASSERT_TRUE(unit.ok() && unit->has_value());
  EXPECT_EQ((*unit)->position, 43);
  EXPECT_EQ((*unit)->config_hash, "h2");
  EXPECT_EQ((*unit)->state, bytes + "x");
  EXPECT_EQ((*store->unit("s", kMergerUnit))->state, "m") << "units that were not given stay";
  EXPECT_FALSE((*store->unit("s", 4)).has_value());
  EXPECT_EQ(*store->hub(), "hub2");
  EXPECT_EQ(*store->saved_at(), 8);
  ASSERT_TRUE(store->remove("s").ok());
  EXPECT_TRUE(store->units()->empty());
}

TEST_F(CheckpointStoreTest, ADamagedUnitIsAnErrorThatNamesIt) {
  ASSERT_TRUE(open()->put({{{"s", 3, 42, "h", "state"}}, "hub", 7}).ok());
  execute("UPDATE unit SET state=x'00'");
  const auto unit = open()->unit("s", 3);
  ASSERT_FALSE(unit.ok());
  EXPECT_EQ(unit.error().code, ErrorCode::kCorrupt);
  EXPECT_NE(unit.error().message.find("partition 3"), std::string::npos);
}

TEST_F(CheckpointStoreTest, AnotherVersionOrNoDatabaseIsRefused) {
  open();
  execute("UPDATE meta SET value=99 WHERE key='version'");
  EXPECT_FALSE(CheckpointStore::open(folder_ + "/state.db").ok());
  std::ofstream(folder_ + "/text.db") << std::string(5000, 'x');
  const auto store = CheckpointStore::open(folder_ + "/text.db");
  ASSERT_FALSE(store.ok());
  EXPECT_EQ(store.error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace driftd::app
