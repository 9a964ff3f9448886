#include "ingest/quarantine_topic.h"

#include <map>

#include "core/clock.h"
#include "ingest/kafka_partitions.h"
#include "tests/ingest/kafka_cluster.h"

namespace driftd::ingest {
namespace {

using Headers = std::map<std::string, std::string>;

struct Received {
  std::string key, payload;
  Headers headers;
};

QuarantineTopicOptions options_for(const std::string& brokers) {
  QuarantineTopicOptions options;
  options.connection.brokers = {brokers};
  options.connection.options = {{"linger.ms", "1"}};
  options.stream = "pumps";
  options.topic = "rejects";
  return options;
}

RawRecord record(std::string_view payload, std::string_view topic = "plant.pumps") {
  RawRecord r;
  r.payload = payload;
  r.key = "pump-7";
  r.topic = topic;
  r.position = 42;
  return r;
}

bool poll_until(QuarantineTopic& topic, std::uint64_t answers) {
  for (const Deadline deadline = Deadline::after(30 * kSecond); !deadline.passed();) {
    topic.poll();
    if (topic.sent() + topic.dropped() >= answers) return true;
    timespec rest{0, 5'000'000};
    nanosleep(&rest, nullptr);
  }
  return false;
}

// The first `n` records of the topic's only partition.
std::vector<Received> read(const std::string& brokers, std::size_t n) {
  std::vector<Received> out;
  auto conf = kafka_conf({.brokers = {brokers}, .options = {}, .password_file = ""}, {{"group.id", "test"}});
  const auto client = kafka_consumer(std::move(*conf), nullptr).value();
  rd_kafka_topic_partition_list_t* all = rd_kafka_topic_partition_list_new(1);
  rd_kafka_topic_partition_list_add(all, "rejects", 0)->offset = 0;
  rd_kafka_assign(client.get(), all);
  rd_kafka_topic_partition_list_destroy(all);
  for (const Deadline deadline = Deadline::after(30 * kSecond); out.size() < n && !deadline.passed();) {
    rd_kafka_message_t* message = rd_kafka_consumer_poll(client.get(), 100);
    if (message == nullptr) continue;
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      Received& one = out.emplace_back();
      one.key.assign(static_cast<const char*>(message->key), message->key_len);
      if (message->payload != nullptr) one.payload.assign(static_cast<const char*>(message->payload), message->len);
      rd_kafka_headers_t* headers = nullptr;
      rd_kafka_message_headers(message, &headers);
      const char* name = nullptr;
      const void* value = nullptr;
      std::size_t size = 0;
      for (std::size_t i = 0; headers != nullptr && rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
           ++i) {
        one.headers[name].assign(static_cast<const char*>(value), size);
      }
    }
    rd_kafka_message_destroy(message);
  }
  rd_kafka_consumer_close(client.get());
  return out;
}

TEST(QuarantineTopic, SendsTheRecordAsItIsWithItsReasonAndPosition) {
  KafkaCluster cluster;
  cluster.create("rejects", 1);
  auto topic = QuarantineTopic::make(options_for(cluster.brokers())).value();
  const std::string binary("\xff\0{", 3);
  topic->add(kPartitionsPerTopic + 3, record(binary), RejectReason::kUndecodable, "no \"end\"");
  topic->add(5, record("{}", ""), RejectReason::kMissingSensor, "");
  GateMark why;
  why.check = "in_range";
  why.field = "x";
  why.reason = "out_of_range";
  why.detail = "150";
  why.checks = "in_range,spike";
  topic->add(5, record("{}"), why);
  ASSERT_TRUE(poll_until(*topic, 3));
  EXPECT_EQ(topic->sent(), 3U);
  EXPECT_EQ(topic->trouble(), "");
  const auto all = read(cluster.brokers(), 3);
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0].key, "pump-7");
  EXPECT_EQ(all[0].payload, binary);
  EXPECT_EQ(all[0].headers, (Headers{{"driftd-verdict", "reject"},
                                     {"driftd-stream", "pumps"},
                                     {"driftd-position", "plant.pumps/3/42"},
                                     {"driftd-reason", "undecodable"},
                                     {"driftd-detail", "no \"end\""}}));
  EXPECT_EQ(all[1].headers.at("driftd-position"), "5/42");
  EXPECT_FALSE(all[1].headers.contains("driftd-detail"));
  EXPECT_EQ(all[2].headers, (Headers{{"driftd-verdict", "invalid"},
                                     {"driftd-stream", "pumps"},
                                     {"driftd-position", "plant.pumps/5/42"},
                                     {"driftd-check", "in_range"},
                                     {"driftd-field", "x"},
                                     {"driftd-reason", "out_of_range"},
                                     {"driftd-detail", "150"},
                                     {"driftd-checks", "in_range,spike"}}));
}

TEST(QuarantineTopic, ARecordThatIsTooLargeGoesAsAStub) {
  KafkaCluster cluster;
  cluster.create("rejects", 1);
  QuarantineTopicOptions options = options_for(cluster.brokers());
  options.connection.options.emplace_back("message.max.bytes", "2000");
  auto topic = QuarantineTopic::make(options).value();
  topic->add(0, record(std::string(3000, 'x')), RejectReason::kTooLarge, "");
  ASSERT_TRUE(poll_until(*topic, 1));
  EXPECT_EQ(topic->sent(), 1U);
  const auto all = read(cluster.brokers(), 1);
  ASSERT_EQ(all.size(), 1U);
  EXPECT_EQ(all[0].payload, "");
  EXPECT_EQ(all[0].headers.at("driftd-refused"), "MSG_SIZE_TOO_LARGE");
  EXPECT_EQ(all[0].headers.at("driftd-reason"), "too_large");
}

TEST(QuarantineTopic, WithoutABrokerItKeepsItsBoundAndCountsWhatItDrops) {
  QuarantineTopicOptions options = options_for("127.0.0.1:1");
  options.buffer = 64U << 10;
  options.connection.options.emplace_back("message.timeout.ms", "10000");
  auto topic = QuarantineTopic::make(options).value();
  const std::string payload(1000, 'x');
  const Deadline soon = Deadline::after(10 * kSecond);
  for (int i = 0; i < 1000; ++i) topic->add(0, record(payload), RejectReason::kBadTime, "");
  EXPECT_FALSE(soon.passed()) << "it waited for the broker";
  EXPECT_GE(topic->dropped(), 1000U - 66U) << "more waits than the buffer holds";
  EXPECT_LE(topic->dropped(), 1000U - 60U) << "less waits than the buffer holds";
  EXPECT_NE(topic->trouble(), "");
  ASSERT_TRUE(poll_until(*topic, 1000)) << "what waited was never given up";
  EXPECT_EQ(topic->dropped(), 1000U);
  EXPECT_EQ(topic->sent(), 0U);
}

TEST(QuarantineTopic, FlushWaitsForTheBrokersButNotLongForSomeThatAreAway) {
  {
    KafkaCluster cluster;
    cluster.create("rejects", 1);
    QuarantineTopicOptions options = options_for(cluster.brokers());
    options.connection.options = {{"linger.ms", "60000"}};
    auto topic = QuarantineTopic::make(options).value();
    topic->add(0, record("{}"), RejectReason::kBadTime, "");
    topic->flush(Deadline::after(30 * kSecond));
    EXPECT_EQ(topic->sent(), 1U);
  }
  auto topic = QuarantineTopic::make(options_for("127.0.0.1:1")).value();
  topic->flush(Deadline::after(kMinute));  // nothing waits
  topic->add(0, record("{}"), RejectReason::kBadTime, "");
  topic->flush(Deadline::after(200 * kMillisecond));
  const Deadline soon = Deadline::after(20 * kSecond);
  for (int i = 0; i < 5; ++i) topic->flush(Deadline::after(kMinute));
  EXPECT_FALSE(soon.passed()) << "each call waits for brokers that are known to be away";
  EXPECT_EQ(topic->sent() + topic->dropped(), 0U) << "it still waits";
}

TEST(QuarantineTopic, RefusesWhatLibrdkafkaRefuses) {
  QuarantineTopicOptions options = options_for("127.0.0.1:1");
  options.connection.options.emplace_back("compression.codec", "wood");
  const auto made = QuarantineTopic::make(options);
  ASSERT_FALSE(made.ok());
  EXPECT_NE(made.error().message.find("compression.codec"), std::string::npos) << made.error().message;
}

}  // namespace
}  // namespace driftd::ingest
