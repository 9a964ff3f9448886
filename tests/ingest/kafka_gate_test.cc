// The gate on an in-process cluster; with a real Kafka: tests/e2e/test_gate.py.
#include "ingest/kafka_gate.h"

#include "ingest/kafka_watermarks.h"
#include "tests/ingest/kafka_source_harness.h"

namespace driftd::ingest {
namespace {

class KafkaGateTest : public ::testing::Test {
 protected:
  // A group that stands at 2 of 5 records in both partitions.
  void SetUp() override {
    cluster_.create("in", 2);
    cluster_.create("out", 2);
    cluster_.create("bad", 2);
    for (const int partition : {0, 1}) cluster_.produce("in", partition, 5);
    RecordingHandler handler;
    auto source = opened(params(cluster_, {"in"}), handler);
    std::size_t came = 0;
    RawBatch raw;
    while (came < 10) {
      ASSERT_TRUE(source->poll(Deadline::after(10 * kSecond), raw).value());
      came += raw.records.size();
      batches_.push_back(std::make_shared<const RawBatch>(std::exchange(raw, {})));
    }
    for (const int partition : {0, 1}) source->commit(partition, 2);
    source->close();
    auto conf = kafka_conf({{cluster_.brokers()}, {}, ""}, {{"group.id", "looks"}});
    client_ = kafka_consumer(std::move(*conf), nullptr).value();
  }

  std::int64_t forwarded(int partition) { return kafka_end(client_.get(), "out", partition, 10000).value(); }

  void add(Gate& gate, std::uint32_t partition) const {
    for (const auto& raw : batches_) {
      if (raw->partition == partition) gate.add({raw, {}, {}});
    }
  }

  KafkaCluster cluster_;
  std::vector<std::shared_ptr<const RawBatch>> batches_;  // of the source: all 10 records
  KafkaHandle client_;
};

// Where it stands there is known only when the leader is back; nothing of the others has to wait for that.
TEST_F(KafkaGateTest, APartitionWithoutALeaderHoldsUpNoOther) {
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "in", 1, -1);
  RecordingHandler handler;
  handler.positions = {{0, 0}, {1, 0}};
  auto source = opened(params(cluster_, {"in"}, {}, kSoon), handler);
  auto gate = source->make_gate({"out", "bad", "gate"}).value();
  ASSERT_TRUE(poll_until(*source, [&] { return handler.settled == 1; }));
  for (const std::uint32_t partition : {0U, 1U}) gate->assigned(partition, 0);
  add(*gate, 0);
  const auto works = [&](const auto& done) {
    return poll_until(*source, [&] {
      gate->work(true);
      return done();
    });
  };
  ASSERT_TRUE(works([&] { return gate->idle(); })) << gate->trouble();
  EXPECT_EQ(forwarded(0), 3) << "what the group had not forwarded before";
  EXPECT_EQ(gate->trouble(), "");

  // It has something of that partition too: then that waits, and says why.
  add(*gate, 1);
  ASSERT_TRUE(works([&] { return gate->trouble().find("partition 1 of in has no leader") != std::string::npos; })) << gate->trouble();
  EXPECT_EQ(forwarded(1), 0);
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "in", 1, 1);
  ASSERT_TRUE(works([&] { return gate->idle(); })) << gate->trouble();
  EXPECT_EQ(forwarded(1), 3);
  EXPECT_EQ(gate->trouble(), "");
}

// Where it begins must outlive a kill before the first transaction, so it reads nothing before the group has that.
TEST(KafkaGateStart, ReadsNothingBeforeTheGroupHasWhereItBegins) {
  KafkaCluster cluster;
  for (const char* topic : {"in", "out", "bad"}) cluster.create(topic, 1);
  cluster.produce("in", 0, 3);
  constexpr std::int16_t kOffsetCommit = 8;
  const auto refused = RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED;
  rd_kafka_mock_push_request_errors(cluster.mock(), kOffsetCommit, 2, refused, refused);
  const TempFolder folder;
  SourceContext context;
  context.data_dir = folder.path();
  context.stream = "s";
  const auto open = [&](SourceHandler& handler) {
    auto source = opened(params(cluster, {"in"}, {{"start", Node::text("latest")}, {"group", Node::text("g")}}), handler, context);
    EXPECT_TRUE(source->make_gate({"out", "bad", "gate"}).ok());
    return source;
  };
  {
    RecordingHandler handler;
    auto source = open(handler);
    ASSERT_TRUE(poll_until(*source, [&] { return source->status().missing.find("authorization failed") != std::string::npos; }))
        << source->status().missing;
    cluster.produce("in", 0, 1, "new");
    EXPECT_EQ(drain(*source, 1), Texts{"0/3:new0"});
    EXPECT_TRUE(source->status().missing.empty());
    source->close();  // and nothing was committed by it but where it began
  }
  RecordingHandler handler;
  auto source = open(handler);
  EXPECT_EQ(drain(*source, 1), Texts{"0/3:new0"}) << "after a kill it is read again, not skipped";
  EXPECT_EQ(handler.starts, Texts{}) << "and nothing is taken for read elsewhere";
}

}  // namespace
}  // namespace driftd::ingest
