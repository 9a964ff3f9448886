#include "ingest/kafka_range.h"

#include "tests/ingest/kafka_cluster.h"

namespace driftd::ingest {
namespace {

using Texts = std::vector<std::string>;

KafkaRange range_of(const KafkaCluster& cluster, const std::string& topic) {
  KafkaRange range;
  range.connection.brokers = {cluster.brokers()};
  range.topic = topic;
  return range;
}

Result<Texts> read(const KafkaRange& range, std::vector<KafkaSpan>* read_spans = nullptr) {
  Texts out;
  const auto spans = read_kafka_range(range, [&](RawBatch& batch) {
    for (const RawRecord& record : batch.records) {
      out.push_back(std::to_string(batch.partition) + "/" + std::to_string(record.position) + ":" + std::string(record.payload));
    }
    return Status();
  });
  if (!spans.ok()) return spans.error();
  if (read_spans != nullptr) *read_spans = *spans;
  return out;
}

// Time bounds are tested with a real broker: the mock cluster looks up no times.
TEST(KafkaRange, ReadsPartitionByPartition) {
  KafkaCluster cluster;
  cluster.create("a", 3);
  cluster.produce("a", 2, 2, "z");
  cluster.produce("a", 0, 3, "x");
  const auto all = read(range_of(cluster, "a"));
  ASSERT_TRUE(all.ok()) << all.error().message;
  EXPECT_EQ(*all, (Texts{"0/0:x0", "0/1:x1", "0/2:x2", "2/0:z0", "2/1:z1"}));
}

TEST(KafkaRange, ReadsTheSameOffsetsAgainAlthoughTheTopicGrew) {
  KafkaCluster cluster;
  cluster.create("a", 3);
  cluster.produce("a", 0, 3, "x");
  cluster.produce("a", 2, 2, "z");
  KafkaRange range = range_of(cluster, "a");
  const auto first = read(range, &range.spans);
  ASSERT_TRUE(first.ok()) << first.error().message;
  ASSERT_EQ(range.spans.size(), 2U) << "a partition without records has no offsets";
  EXPECT_EQ(range.spans[0].partition, 0U);
  EXPECT_EQ(range.spans[0].begin, 0);
  EXPECT_EQ(range.spans[0].end, 3);
  EXPECT_EQ(range.spans[1].partition, 2U);
  EXPECT_EQ(range.spans[1].end, 2);
  cluster.produce("a", 0, 2, "new");
  cluster.produce("a", 1, 1, "new");
  const auto again = read(range);
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *first);
  range.spans = {{0, 1, 2}};
  EXPECT_EQ(*read(range), Texts{"0/1:x1"});
}

TEST(KafkaRange, StopsWhenTheSinkDoes) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 0, 1);
  cluster.produce("a", 1, 1);
  int calls = 0;
  const auto status = read_kafka_range(range_of(cluster, "a"), [&](RawBatch&) {
    ++calls;
    return Status(Error{ErrorCode::kExhausted, "enough"});
  });
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "enough");
  EXPECT_EQ(calls, 1);
}

TEST(KafkaRange, SaysThatNothingAnswers) {
  KafkaRange range;
  range.connection.brokers = {"127.0.0.1:1"};
  range.topic = "a";
  const auto got = read(range);
  ASSERT_FALSE(got.ok());
  EXPECT_EQ(got.error().code, ErrorCode::kUnavailable);
}

}  // namespace
}  // namespace driftd::ingest
