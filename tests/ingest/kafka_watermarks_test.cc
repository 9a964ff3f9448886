#include "ingest/kafka_watermarks.h"

#include "core/clock.h"
#include "ingest/kafka_client.h"
#include "tests/ingest/kafka_cluster.h"

namespace driftd::ingest {
namespace {

KafkaHandle client_of(const KafkaCluster& cluster) {
  auto conf = kafka_conf({{cluster.brokers()}, {}, ""}, {{"group.id", "watermarks"}});
  return kafka_consumer(std::move(*conf), nullptr).value();
}

TEST(KafkaWatermarks, AreTheEndsOfThePartition) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 1, 5);
  const KafkaHandle client = client_of(cluster);
  const auto marks = kafka_watermarks(client.get(), "a", 1, 10000);
  ASSERT_TRUE(marks.ok()) << marks.error().message;
  EXPECT_EQ(marks->low, 0);
  EXPECT_EQ(marks->end, 5);
  EXPECT_EQ(*kafka_end(client.get(), "a", 0, 10000), 0);
}

// librdkafka's own call waits on until the broker is back.
TEST(KafkaWatermarks, OfABrokerThatIsDownComeToAnEnd) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  const KafkaHandle client = client_of(cluster);
  ASSERT_TRUE(kafka_end(client.get(), "a", 0, 10000).ok());
  rd_kafka_mock_broker_set_down(cluster.mock(), 1);
  const Duration begin = monotonic_now();
  const auto marks = kafka_watermarks(client.get(), "a", 0, 1000);
  ASSERT_FALSE(marks.ok());
  EXPECT_EQ(marks.error().code, ErrorCode::kUnavailable);
  EXPECT_NE(marks.error().message.find("topic 'a'"), std::string::npos) << marks.error().message;
  EXPECT_LT(monotonic_now() - begin, 10 * kSecond);
  EXPECT_FALSE(kafka_end(client.get(), "a", 0, 1000).ok());
}

}  // namespace
}  // namespace driftd::ingest
