#include "app/run/hand_over_rows.h"

#include <gtest/gtest.h>

#include <limits>

namespace driftd::app {
namespace {

using Row = stats::MysqlSession::Row;

const HandedOver kOutput{"pumps", 3, 7 * kMinute, "config", "reference", "bytes"};

Row output_row() {
  const HandedOver& o = kOutput;
  return {"12", "3", std::to_string(o.end), o.config_hash, o.reference, std::to_string(crc_of(o)), std::to_string(o.output.size())};
}

Result<StoredOutput> read(const std::string& stream, const Row& row, const std::string& bytes = kOutput.output) {
  auto output = output_of(stream, row);
  if (!output) return output;
  output->what.output = bytes;
  if (const Status s = intact(*output); !s) return s.error();
  return output;
}

Row progress_row() { return {"3", "config", std::to_string(7 * kMinute), std::to_string(kNoTime), "1", "5"}; }

TEST(HandOverRows, AnOutputIsReadAsItWasPut) {
  const auto output = read("pumps", output_row());
  ASSERT_TRUE(output.ok()) << output.error().message;
  EXPECT_EQ(output->id, 12);
  EXPECT_EQ(output->what.partition, 3U);
  EXPECT_EQ(output->what.end, 7 * kMinute);
  EXPECT_EQ(output->what.config_hash, "config");
  EXPECT_EQ(output->what.reference, "reference");
  EXPECT_EQ(output->what.output, "bytes");
}

TEST(HandOverRows, AnOutputOfWhichAnyColumnIsDamagedIsRefused) {
  for (std::size_t column = 1; column < output_row().size(); ++column) {
    for (const std::optional<std::string>& damage : {std::optional<std::string>("4"), std::optional<std::string>()}) {
      Row row = output_row();
      row[column] = damage;
      const auto output = read("pumps", row);
      ASSERT_FALSE(output.ok()) << column;
      EXPECT_EQ(output.error().code, ErrorCode::kCorrupt);
      EXPECT_NE(output.error().message.find("id 12"), std::string::npos) << "what to delete: " << output.error().message;
    }
  }
  EXPECT_FALSE(read("others", output_row()).ok()) << "of another stream";
  for (const char* bytes : {"byte", "bytes too many", "bYtes"}) EXPECT_FALSE(read("pumps", output_row(), bytes).ok()) << bytes;
}

TEST(HandOverRows, ProgressIsReadAsItWasTold) {
  const auto progress = progress_of("pumps", progress_row());
  ASSERT_TRUE(progress.ok()) << progress.error().message;
  EXPECT_EQ(progress->what, (HandOverProgress{"pumps", 3, "config", 7 * kMinute, kNoTime, true}));
  EXPECT_EQ(progress->unread, 5 * kSecond);
  const auto fresh = progress_of("pumps", {"0", std::nullopt, std::nullopt, std::nullopt, "0", std::nullopt});
  ASSERT_TRUE(fresh.ok()) << "a partition that has told nothing yet";
  EXPECT_EQ(fresh->what, (HandOverProgress{"pumps", 0, "", kNoTime, kNoTime, false}));
  EXPECT_EQ(fresh->unread, 0);
}

// A merger that believed it could never be loaded from its checkpoint again.
TEST(HandOverRows, ATimeThatNoStateMayHaveIsRefused) {
  for (const std::size_t column : {2U, 3U}) {
    for (const std::int64_t t : {std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min() + 1}) {
      Row row = progress_row();
      row[column] = std::to_string(t);
      const auto progress = progress_of("pumps", row);
      ASSERT_FALSE(progress.ok()) << t;
      EXPECT_EQ(progress.error().code, ErrorCode::kCorrupt);
      EXPECT_NE(progress.error().message.find("partition 3"), std::string::npos) << progress.error().message;
    }
  }
  EXPECT_FALSE(time_of("soon").ok());
  EXPECT_EQ(*time_of(std::nullopt), kNoTime);
}

TEST(HandOverRows, APartitionNumberThatCannotBeIsRefused) {
  for (const char* part : {"-1", "4294967296", "x"}) {
    Row row = progress_row();
    row[0] = part;
    EXPECT_FALSE(progress_of("pumps", row).ok()) << part;
  }
}

TEST(HandOverRows, UnreadIsAYearAtMost) {
  Row row = progress_row();
  row[5] = "63000000000";  // since the year 1
  EXPECT_EQ(progress_of("pumps", row)->unread, 365 * kDay);
  row[5] = "-5";  // the server's clock was turned back
  EXPECT_EQ(progress_of("pumps", row)->unread, 0);
}

}  // namespace
}  // namespace driftd::app
