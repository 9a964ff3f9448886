#include "ingest/quarantine_reader.h"

#include <gtest/gtest.h>

#include <fstream>

#include "ingest/quarantine.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {
namespace {

std::vector<QuarantinedRecord> read_all(const std::string& folder, std::uint64_t* damaged = nullptr) {
  std::vector<QuarantinedRecord> out;
  const auto totals = read_quarantine(folder, [&](QuarantinedRecord r) { out.push_back(std::move(r)); });
  EXPECT_TRUE(totals.ok());
  if (damaged != nullptr) *damaged = totals->damaged;
  return out;
}

TEST(QuarantineReader, ReadsWhatAQuarantineKeeps) {
  const TempFolder temp;
  const std::string folder = temp.path() + "/pumps";
  ManualClock clock(kSecond);
  const std::string binary("\xff\x00\x01", 3);
  {
    Quarantine q({folder, "pumps", 1U << 20, 8}, clock);
    RawRecord record;
    record.payload = "{\"a\"";
    record.key = "k";
    record.topic = "plant/1";
    record.position = -7;
    record.arrival = 5 * kSecond;
    q.add(3, record, RejectReason::kUndecodable, "no \"end\"");
    record.payload = binary;
    record.arrival = kNoTime;
    q.add(4, record, RejectReason::kUndecodable, "");
    record.payload = "0123456789";
    q.add(4, record, RejectReason::kTooLarge, "");
    q.flush();
  }
  const auto all = read_all(folder);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].time, kSecond);
  EXPECT_EQ(all[0].arrival, 5 * kSecond);
  EXPECT_EQ(all[0].stream + all[0].topic + all[0].key + all[0].reason, "pumpsplant/1kundecodable");
  EXPECT_EQ(all[0].detail, "no \"end\"");
  EXPECT_EQ(all[0].partition, 3U);
  EXPECT_EQ(all[0].position, -7);
  EXPECT_EQ(all[0].payload, "{\"a\"");
  EXPECT_FALSE(all[0].truncated());
  EXPECT_EQ(all[1].payload, binary);
  EXPECT_EQ(all[1].arrival, kNoTime);
  EXPECT_FALSE(all[1].text);
  EXPECT_EQ(all[2].payload, "01234567");
  EXPECT_EQ(all[2].size, 10U);
  EXPECT_TRUE(all[2].truncated());
}

// A record that is sent again must go to the partition of its key.
TEST(QuarantineReader, KeysAreKeptAsTheyAre) {
  const TempFolder temp;
  const std::string folder = temp.path() + "/pumps";
  ManualClock clock(kSecond);
  const std::vector<std::string> keys = {
      std::string("\0\0\0\0\0\0\x01\xff", 8), "a\nb", std::string(300, 'k'), std::string(4096, 'k'), std::string(4097, 'k'), "plain ?", ""};
  {
    Quarantine q({folder, "pumps", 1U << 20, 8}, clock);
    RawRecord record;
    record.payload = "{";
    for (const std::string& key : keys) {
      record.key = key;
      ++record.position;
      q.add(3, record, RejectReason::kUndecodable, "");
    }
    q.flush();
  }
  const auto all = read_all(folder);
  ASSERT_EQ(all.size(), keys.size());
  for (std::size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(all[i].whole_key, keys[i].size() <= 4096) << i;
    EXPECT_EQ(all[i].key, keys[i].substr(0, 4096)) << i;
  }
}

TEST(QuarantineReader, PassesOverDamagedLines) {
  const TempFolder folder;
  const std::string good = R"({"time":"2026-01-01T00:00:00Z","stream":"s","partition":0,"position":1,"reason":"bad_time","payload":"x"})";
  const std::string other = R"({"time":"2026-01-01T00:00:00Z","stream":"s","partition":0,"position":2,"reason":"bad_time","payload":"x"})";
  std::ofstream(folder.path() + "/quarantine-000000000001.jsonl") << good << "\n"
                                                                  << good.substr(0, 50) << "\n\xff\xfe\n[]\n{}\n"
                                                                  << other << "\n"
                                                                  << good.substr(0, 70);
  std::ofstream(folder.path() + "/other.txt") << good << "\n";
  std::uint64_t damaged = 0;
  EXPECT_EQ(read_all(folder.path(), &damaged).size(), 2U);
  EXPECT_EQ(damaged, 5U);
}

TEST(QuarantineReader, ARecordThatWasKeptAgainIsOne) {
  const TempFolder folder;
  ManualClock clock(kSecond);
  RawRecord record;
  record.payload = "x";
  const auto keep = [&](std::uint32_t partition, std::int64_t position, Time arrival, std::string_view topic) {
    Quarantine q({folder.path(), "s", 1U << 20, 8}, clock);  // one a start
    record.position = position;
    record.arrival = arrival;
    record.topic = topic;
    q.add(partition, record, RejectReason::kBadTime, "");
    q.flush();
    clock.set(clock.now() + kSecond);
  };
  keep(0, 7, kMinute, "t");
  keep(0, 7, kMinute, "t");
  EXPECT_EQ(read_all(folder.path()).size(), 1U);
  keep(0, 8, kMinute, "t");
  keep(1, 7, kMinute, "t");
  keep(0, 7, kHour, "t");  // of a topic that was made anew, or another journal
  keep(0, 7, kMinute, "u");
  record.payload = "y";
  keep(0, 7, kMinute, "t");
  EXPECT_EQ(read_all(folder.path()).size(), 6U);
  keep(0, 7, kMinute, "t");
  const auto totals = read_quarantine(folder.path(), [](const QuarantinedRecord&) {});
  EXPECT_EQ(totals->again, 2U);
}

TEST(QuarantineReader, NoFolderIsNoRecords) {
  const TempFolder folder;
  EXPECT_TRUE(read_all(folder.path() + "/none").empty());
}

TEST(QuarantineReader, RefusesLinesThatNobodyWrote) {
  for (const char* line : {R"({"time":"yesterday","partition":0,"position":1,"reason":"r","payload":"x"})",
                           R"({"time":"2026-01-01T00:00:00Z","partition":-1,"position":1,"reason":"r","payload":"x"})",
                           R"({"time":"2026-01-01T00:00:00Z","partition":4294967296,"position":1,"reason":"r","payload":"x"})",
                           R"({"time":"2026-01-01T00:00:00Z","partition":0,"position":1e3,"reason":"r","payload":"x"})",
                           R"({"time":"2026-01-01T00:00:00Z","partition":0,"position":1,"reason":"r","payload":7})",
                           R"({"time":"2026-01-01T00:00:00Z","partition":0,"position":1,"reason":"r","payload_base64":"a"})",
                           R"({"time":"2026-01-01T00:00:00Z","partition":0,"position":1,"reason":"r"})"}) {
    EXPECT_FALSE(parse_quarantined(line)) << line;
  }
}

TEST(QuarantineReader, Base64) {  // RFC 4648 section 10
  for (const auto& [text, bytes] : {std::pair("", ""), std::pair("Zg==", "f"), std::pair("Zm8=", "fo"), std::pair("Zm9v", "foo"),
                                    std::pair("Zm9vYg==", "foob"), std::pair("Zm9vYmE=", "fooba"), std::pair("Zm9vYmFy", "foobar")}) {
    EXPECT_EQ(decode_base64(text), bytes);
  }
  for (const char* text : {"Z", "Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Zm9*", "Zm 9"}) EXPECT_FALSE(decode_base64(text)) << text;
}

}  // namespace
}  // namespace driftd::ingest
