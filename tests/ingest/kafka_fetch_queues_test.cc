#include "ingest/kafka_fetch_queues.h"

#include <future>

#include "core/clock.h"
#include "tests/ingest/kafka_cluster.h"

namespace driftd::ingest {
namespace {

// A consumer reads partition 0 of topic "a" until the broker says that there is no such topic, and lets go of it.
// Afterwards librdkafka itself must come to its end.
TEST(KafkaFetchQueues, AConsumerOfADeletedTopicCanBeDestroyed) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  auto conf = kafka_conf({{cluster.brokers()}, {{"topic.metadata.refresh.interval.ms", "200"}, {"log_level", "0"}}, ""},
                         {{"group.id", "g"}, {"enable.partition.eof", "true"}});
  ASSERT_TRUE(conf.ok());
  bool gone = false;
  rd_kafka_conf_set_error_cb(conf->get(), [](rd_kafka_t*, int error, const char*, void* seen) {
    if (error == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) *static_cast<bool*>(seen) = true;
  });
  auto client = kafka_consumer(std::move(conf).value(), &gone);
  ASSERT_TRUE(client.ok());
  rd_kafka_t* consumer = client->get();
  bool at_end = false;
  const auto poll_until = [&](const bool& done) {
    for (const Deadline deadline = Deadline::after(kMinute); !done && !deadline.passed();) {
      rd_kafka_message_t* message = rd_kafka_consumer_poll(consumer, 50);
      if (message == nullptr) continue;
      at_end = at_end || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
      rd_kafka_message_destroy(message);
    }
    return done;
  };
  int left = 0;
  {
    KafkaFetchQueues queues(*client, [&](rd_kafka_message_t* message) {
      ++left;
      rd_kafka_message_destroy(message);
    });
    queues.keep(0, "a", 0);
    const KafkaList list = new_kafka_list();
    rd_kafka_topic_partition_list_add(list.get(), "a", 0)->offset = 0;
    ASSERT_EQ(rd_kafka_assign(consumer, list.get()), 0);
    ASSERT_TRUE(poll_until(at_end));
    rd_kafka_mock_topic_set_error(cluster.mock(), "a", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    ASSERT_TRUE(poll_until(gone));
    ASSERT_EQ(rd_kafka_assign(consumer, nullptr), 0);
    queues.keep(0, "a", 0);  // as when it is assigned again
    rd_kafka_consumer_close(consumer);
  }
  EXPECT_EQ(left, 0) << "there was no message";
  auto destroyed = std::async(std::launch::async, [&] { client->reset(); });
  if (destroyed.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
    std::fputs("rd_kafka_destroy() hangs\n", stderr);
    std::abort();  // a future waits for its thread
  }
}

}  // namespace
}  // namespace driftd::ingest
