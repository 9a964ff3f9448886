#include "core/sqlite_statement.h"

#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <limits>

namespace driftd {
namespace {

class StatementTest : public ::testing::Test {
 protected:
  StatementTest() {
    EXPECT_EQ(sqlite3_open(":memory:", &db_), SQLITE_OK);
    EXPECT_TRUE(sqlite_execute(db_, "CREATE TABLE t (a INTEGER UNIQUE, b)").ok());
  }
  // Refused by SQLite when a statement was left open.
  ~StatementTest() override { EXPECT_EQ(sqlite3_close(db_), SQLITE_OK); }
  sqlite3* db_ = nullptr;
};

TEST_F(StatementTest, GivesBackWhatWasBound) {
  const std::string bytes("a\0\xff'", 4);
  const std::int64_t least = std::numeric_limits<std::int64_t>::min();
  Statement insert(db_, "INSERT INTO t VALUES (?, ?)");
  ASSERT_TRUE(insert.bind(least).bind_blob(bytes).run().ok());
  insert.reset();
  ASSERT_TRUE(insert.bind(std::int64_t{7}).bind("text").run().ok()) << "bound anew from the first";
  Statement select(db_, "SELECT a, b FROM t ORDER BY a");
  ASSERT_TRUE(*select.step());
  EXPECT_EQ(select.integer(0), least);
  EXPECT_EQ(select.text(1), bytes);
  ASSERT_TRUE(*select.step());
  EXPECT_EQ(select.integer(0), 7);
  EXPECT_EQ(select.text(1), "text");
  EXPECT_FALSE(*select.step());
}

TEST_F(StatementTest, KeepsACopyOfATextThatGoes) {
  Statement insert(db_, "INSERT INTO t VALUES (1, ?)");
  {
    std::string gone(100, 'x');
    insert.bind(gone);
    gone.assign(100, 'y');
  }
  ASSERT_TRUE(insert.run().ok());
  Statement select(db_, "SELECT b FROM t");
  ASSERT_TRUE(*select.step());
  EXPECT_EQ(select.text(0), std::string(100, 'x'));
}

TEST_F(StatementTest, NullReadsAsNothing) {
  Statement select(db_, "SELECT NULL, ''");
  ASSERT_TRUE(*select.step());
  EXPECT_EQ(select.text(0), "");
  EXPECT_EQ(select.text(1), "");
  EXPECT_EQ(select.integer(0), 0);
}

TEST_F(StatementTest, WhatCannotBePreparedSaysSoWhenItRuns) {
  Statement wrong(db_, "SELECT a FROM nowhere");
  wrong.bind("x").bind(std::int64_t{1}).bind_blob("y");
  const auto row = wrong.step();
  ASSERT_FALSE(row.ok());
  EXPECT_EQ(row.error().code, ErrorCode::kIo);
  EXPECT_NE(row.error().message.find("nowhere"), std::string::npos) << row.error().message;
  wrong.reset();
}

TEST_F(StatementTest, ErrorsNameTheStatementAndTheReason) {
  ASSERT_TRUE(sqlite_execute(db_, "INSERT INTO t VALUES (1, 1)").ok());
  Statement again(db_, "INSERT INTO t VALUES (1, 2)");
  const Status refused = again.run();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("INSERT INTO t VALUES (1, 2)"), std::string::npos);
  EXPECT_NE(refused.error().message.find("UNIQUE"), std::string::npos) << refused.error().message;
  EXPECT_FALSE(sqlite_execute(db_, "CREATE TABLE t (a)").ok());
}

TEST(Statement, AFileThatIsNoDatabaseIsCorrupt) {
  const std::string path = ::testing::TempDir() + "no_database_" + std::to_string(getpid());
  std::ofstream(path) << std::string(4096, 'x');
  sqlite3* db = nullptr;
  ASSERT_EQ(sqlite3_open(path.c_str(), &db), SQLITE_OK);
  EXPECT_EQ(sqlite_execute(db, "CREATE TABLE t (a)").error().code, ErrorCode::kCorrupt);
  sqlite3_close(db);
  std::filesystem::remove(path);
}

}  // namespace
}  // namespace driftd
