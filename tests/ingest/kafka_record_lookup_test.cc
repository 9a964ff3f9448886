#include "ingest/kafka_record_lookup.h"

#include "tests/ingest/kafka_cluster.h"

namespace driftd::ingest {
namespace {

constexpr int kEach = 2000;
const std::string kPadding(100, 'x');

class KafkaRecordLookupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    cluster_.create("a", kPartitions);
    for (int p = 0; p < kPartitions; ++p) cluster_.produce("a", p, kEach, std::to_string(p) + kPadding);
  }

  MarkedRecord record(int partition, int number) const {
    RawRecord raw;
    const std::string payload = std::to_string(partition) + kPadding + std::to_string(number);
    raw.payload = payload;
    raw.key = "k";
    raw.topic = "a";
    raw.position = number;
    raw.arrival = (1 + number) * kSecond;
    return {"a", partition, mark_of(raw)};
  }
  KafkaConnection connection(TextPairs options = {}) const { return {{cluster_.brokers()}, std::move(options), ""}; }

  static constexpr int kPartitions = 8;
  KafkaCluster cluster_;
};

TEST_F(KafkaRecordLookupTest, ManyAreLookedForAtOnce) {
  std::vector<MarkedRecord> records;
  for (int p = 0; p < kPartitions; ++p) records.push_back(record(p, p == 7 ? kEach - 1 : 1000));
  records[2].mark.position = -1;
  records[4].mark.position = 1001;
  records[6].mark.position = kEach;
  KafkaRecordLookup lookup(connection());
  const auto found = lookup.find(records, 60000);
  using F = RecordFound;
  const F wanted[] = {F::kThere, F::kThere, F::kRemoved, F::kThere, F::kOther, F::kThere, F::kOther, F::kThere};
  for (std::size_t i = 0; i < records.size(); ++i) {
    ASSERT_TRUE(found[i].has_value()) << i;
    EXPECT_EQ(*found[i], wanted[i]) << i;
  }
  // Others may be asked for then.
  const auto more = lookup.find({record(0, 7), records[1]}, 60000);
  EXPECT_EQ(more[0], RecordFound::kThere);
  EXPECT_EQ(more[1], RecordFound::kThere);
  rd_kafka_mock_broker_set_down(cluster_.mock(), 1);
  EXPECT_EQ(lookup.find({records[1]}, 500)[0], std::nullopt) << "asked anew";
}

TEST_F(KafkaRecordLookupTest, WhatRetentionTookIsNotAnotherRecord) {
  cluster_.create("shortened", 1);  // the stand-in keeps 5 MB
  for (int i = 0; i < 10; ++i) cluster_.send("shortened", 0, std::string(900'000, 'x'));
  cluster_.flush();
  MarkedRecord gone = record(0, 1);
  gone.topic = "shortened";
  EXPECT_EQ(KafkaRecordLookup(connection()).find({gone}, 60000)[0], RecordFound::kRemoved);
}

TEST_F(KafkaRecordLookupTest, OneCallGoesOnWhereTheOneBeforeLeftOff) {
  rd_kafka_mock_broker_set_rtt(cluster_.mock(), 1, 300);
  KafkaRecordLookup lookup(connection());
  int calls = 0;
  std::optional<RecordFound> found;
  for (const Deadline deadline = Deadline::after(kMinute); !found && !deadline.passed(); ++calls)
    found = lookup.find({record(3, 1000)}, 100)[0];
  EXPECT_EQ(found, RecordFound::kThere);
  EXPECT_GT(calls, 2) << "no single one could";
}

TEST_F(KafkaRecordLookupTest, OptionsThatSuitAStreamDoNotHoldItUp) {
  KafkaRecordLookup lookup(
      connection({{"fetch.min.bytes", "10000000"}, {"fetch.wait.max.ms", "50000"}, {"queued.min.messages", "1000000"}}));
  const Duration begin = monotonic_now();
  EXPECT_EQ(lookup.find({record(3, kEach - 1)}, 60000)[0], RecordFound::kThere);
  EXPECT_LT(monotonic_now() - begin, 40 * kSecond);
}

TEST_F(KafkaRecordLookupTest, SaysWhyNothingIsKnown) {
  KafkaRecordLookup wrong(connection({{"fetch.wait.max.ms", "soon"}}));
  EXPECT_EQ(wrong.find({record(0, 0)}, 2000)[0], std::nullopt);
  EXPECT_NE(wrong.why().find("fetch.wait.max.ms"), std::string::npos) << wrong.why();
}

}  // namespace
}  // namespace driftd::ingest
