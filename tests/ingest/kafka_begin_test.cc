// A gate's first start on an in-process cluster.
#include "ingest/kafka_begin.h"

#include "tests/ingest/kafka_source_harness.h"

namespace driftd::ingest {
namespace {

// Where it begins must outlive a kill before the first transaction, so it reads nothing before the group has that.
TEST(KafkaBegin, NothingIsReadBeforeTheGroupHasIt) {
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

// An answer to what was asked before says nothing of what is wanted now.
TEST(KafkaBegin, TheNewestOffsetCounts) {
  KafkaCluster cluster;
  cluster.create("in", 2);
  auto conf = kafka_conf({{cluster.brokers()}, {}, ""}, {{"group.id", "g"}});
  const KafkaHandle client = kafka_consumer(std::move(*conf), nullptr).value();
  KafkaBegin begin(client, "s", "folder");
  EXPECT_EQ(begin.trouble(), "");
  const auto next = [&] {
    std::optional<KafkaBegin::Begun> got;
    for (const Deadline deadline = Deadline::after(kMinute); !got && !deadline.passed(); ::usleep(10000)) got = begin.next();
    return got;
  };
  begin.begin(0, "in", 0, 7);
  begin.begin(1, "in", 1, 9);
  (void)begin.next();  // asked; the answer, mostly not there yet, is of what is not wanted any more
  begin.begin(0, "in", 0, 0);
  begin.forget(1);
  EXPECT_FALSE(begin.waits(1));
  EXPECT_NE(begin.trouble().find("1 partition(s)"), std::string::npos) << begin.trouble();
  const auto got = next();
  ASSERT_TRUE(got);
  EXPECT_EQ(got->number, 0U);
  EXPECT_EQ(got->offset, 0);
  EXPECT_EQ(begin.trouble(), "");
}

}  // namespace
}  // namespace driftd::ingest
