#include "app/commands/quarantine_sent.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

TEST(SentRecords, RemembersByDestinationAndForgetsWhatIsGone) {
  const ingest::TempFolder folder;
  {
    auto sent = SentRecords::open(folder.path(), "kafka:a").value();
    EXPECT_FALSE(sent.has(7));
    ASSERT_TRUE(sent.keep_only({}).ok());
    ASSERT_TRUE(sent.note({7, 0xffffffffffffffff}).ok());
    EXPECT_TRUE(sent.has(7));
    ASSERT_TRUE(sent.note({9}).ok());
  }
  EXPECT_FALSE(SentRecords::open(folder.path(), "kafka:b").value().has(7));
  {
    auto sent = SentRecords::open(folder.path(), "kafka:a").value();
    EXPECT_TRUE(sent.has(7) && sent.has(9) && sent.has(0xffffffffffffffff));
    ASSERT_TRUE(sent.keep_only({9, 10}).ok());
  }
  const auto sent = SentRecords::open(folder.path(), "kafka:a").value();
  EXPECT_TRUE(sent.has(9));
  EXPECT_FALSE(sent.has(7) || sent.has(10));
}

TEST(SentRecords, ATornOrStrangeLineCostsItself) {
  const ingest::TempFolder folder;
  std::string path;
  {
    auto sent = SentRecords::open(folder.path(), "kafka:a").value();
    ASSERT_TRUE(sent.note({1}).ok());
    path = std::filesystem::directory_iterator(folder.path())->path().string();
  }
  std::ofstream(path) << "kafka:a\n0000000000000001\nzzzzzzzzzzzzzzzz\n00000000000000030\n\n0000000000000004\n00000000000";
  auto sent = SentRecords::open(folder.path(), "kafka:a").value();
  EXPECT_TRUE(sent.has(1) && sent.has(4));
  EXPECT_FALSE(sent.has(0) || sent.has(3) || sent.has(0x30));
  ASSERT_TRUE(sent.keep_only({1, 4}).ok());
  ASSERT_TRUE(sent.note({5}).ok()) << "not behind half a line";
}

TEST(SentRecords, OneAtATimeAndOnlyWhereItCanBeWritten) {
  const ingest::TempFolder folder;
  {
    const auto first = SentRecords::open(folder.path(), "kafka:a");
    const auto second = SentRecords::open(folder.path(), "kafka:b");
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code, ErrorCode::kUnavailable);
  }
  auto nowhere = SentRecords::open(folder.path() + "/none", "kafka:a");
  ASSERT_TRUE(nowhere.ok()) << "no quarantine is nothing to send";
  const Status kept = nowhere->keep_only({});
  ASSERT_FALSE(kept.ok());
  EXPECT_NE(kept.error().message.find("would be sent again"), std::string::npos) << kept.error().message;
}

}  // namespace
}  // namespace driftd::app
