#include <algorithm>
#include <atomic>
#include <fstream>
#include <thread>

#include "ingest/kafka_client.h"
#include "tests/ingest/kafka_source_harness.h"

namespace driftd::ingest {
namespace {

TEST(KafkaSource, ReadsAllPartitionsOfItsTopics) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.create("b", 1);
  cluster.produce("a", 0, 2, "x");
  cluster.produce("a", 1, 1, "y");
  cluster.produce("b", 0, 2, "z");
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a", "b"}), handler);
  EXPECT_FALSE(source->status().assigned);
  EXPECT_EQ(sorted(drain(*source, 5)), (Texts{"0/0:x0", "0/1:x1", "1/0:y0", "65536/0:z0", "65536/1:z1"}));
  EXPECT_EQ(sorted(handler.events), (Texts{"assigned 0", "assigned 1", "assigned 65536"}));
  const auto settled = [&] {
    const SourceStatus status = source->status();
    const auto known = [](const PartitionStatus& p) { return p.lag == 0; };
    return status.connected && status.assigned && status.partitions.size() == 3 &&
           std::all_of(status.partitions.begin(), status.partitions.end(), known);
  };
  EXPECT_TRUE(poll_until(*source, settled));
  handler.events.clear();
  source->close();
  EXPECT_EQ(sorted(handler.events), (Texts{"revoked 0", "revoked 1", "revoked 65536"}));
}

TEST(KafkaSource, HandsOverKeyTopicAndTimestamp) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 1, "x");
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}), handler);
  RawBatch batch;
  bool got = false;
  for (int i = 0; i < 300 && !got; ++i) got = source->poll(Deadline::after(100 * kMillisecond), batch).value();
  source.reset();  // the batch keeps what it views
  ASSERT_TRUE(got);
  EXPECT_EQ(batch.records[0].payload, "x0");
  EXPECT_EQ(batch.records[0].key, "k");
  EXPECT_EQ(batch.records[0].topic, "a");
  EXPECT_EQ(batch.records[0].arrival, kSecond);
  EXPECT_EQ(batch.next_position, 1);
}

// What its statistics say of the end is old while nothing is fetched.
TEST(KafkaSource, AsksTheBrokerWhetherAPartitionIsAtItsEnd) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}), handler);
  using Numbers = std::set<std::uint32_t>;
  const Numbers both = {0, 1};
  const auto at_end = [&](const Numbers& before) {  // one question waits 1.1 s only
    auto told = source->at_end(both, before);
    for (const Deadline deadline = Deadline::after(30 * kSecond); !told && !deadline.passed();) told = source->at_end(both, before);
    return told;
  };
  EXPECT_EQ(source->at_end(both, {}), Numbers()) << "not assigned";
  ASSERT_TRUE(poll_until(*source, [&] { return source->at_end(both, {}) == both; })) << "empty, and its end was seen";
  source->pause(true);
  cluster.produce("a", 1, 3);
  EXPECT_EQ(at_end({}), Numbers{0});
  source->pause(false);
  ASSERT_EQ(drain(*source, 3).size(), 3U);
  EXPECT_EQ(at_end({}), both);
  // More has come since they were asked of last, as it does where it never pauses.
  source->pause(true);
  cluster.produce("a", 1, 1);
  EXPECT_EQ(at_end({1}), Numbers{0}) << "that it was at its end once says nothing of what came later";
  source->pause(false);
  ASSERT_EQ(drain(*source, 1).size(), 1U);
  source->pause(true);
  cluster.produce("a", 1, 1);
  EXPECT_EQ(source->at_end({1}, {1}), Numbers{1}) << "it is where it ended when that was asked for";
  EXPECT_EQ(at_end({1}), Numbers{0}) << "told once";
  source->pause(false);
  ASSERT_EQ(drain(*source, 1).size(), 1U);
  rd_kafka_mock_broker_set_down(cluster.mock(), 1);
  EXPECT_EQ(source->at_end(both, {}), std::nullopt) << "nobody says";
  rd_kafka_mock_broker_set_up(cluster.mock(), 1);
}

// librdkafka 2.0 ended the process by an assertion.
TEST(KafkaSource, MayBeClosedWhileItsGroupAssigns) {
  constexpr std::int16_t kSyncGroup = 14;
  KafkaCluster cluster;
  cluster.create("a", 1);
  rd_kafka_mock_broker_push_request_error_rtts(cluster.mock(), 1, kSyncGroup, 1, RD_KAFKA_RESP_ERR_NO_ERROR, 20000);
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}), handler);
  EXPECT_FALSE(poll_until(
      *source, [&] { return source->status().assigned; }, 6 * kSecond))
      << "the answer to its join takes 3 s";
  source->close();
  source.reset();
  auto next = opened(params(cluster, {"a"}), handler);
  EXPECT_TRUE(poll_until(*next, [&] { return next->status().assigned; }));
}

TEST(KafkaSource, PausesAndGoesOnWithoutLossOrRepetition) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 5);
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}), handler);
  ASSERT_EQ(drain(*source, 5).size(), 5U);
  source->pause(true);
  cluster.produce("a", 0, 3, "p");
  EXPECT_EQ(drain(*source, 1, kSecond), Texts{});
  source->pause(false);
  EXPECT_EQ(drain(*source, 3), (Texts{"0/5:p0", "0/6:p1", "0/7:p2"}));
}

TEST(KafkaSource, HoldsPartitionsBackWithoutLossOrRepetition) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}), handler);
  cluster.produce("a", 0, 1, "first");
  ASSERT_EQ(drain(*source, 1).size(), 1U);
  source->hold_back({0});
  cluster.produce("a", 0, 2, "p");
  cluster.produce("a", 1, 1, "q");
  EXPECT_EQ(drain(*source, 1), (Texts{"1/0:q0"})) << "the others are read on";
  EXPECT_EQ(drain(*source, 1, 2 * kSecond), Texts{});
  const auto both = source->at_end({0, 1}, {});
  EXPECT_EQ(both, std::set<std::uint32_t>{1}) << "a backlog is no silence";
  EXPECT_TRUE(poll_until(*source, [&] {
    for (const PartitionStatus& p : source->status().partitions) {
      if (p.partition == 0 && p.lag == 2) return true;
    }
    return false;
  })) << "its lag is known, though nobody fetches";
  source->pause(true);
  source->pause(false);
  EXPECT_EQ(drain(*source, 2, kSecond), Texts{}) << "a pause of all ends, and this does not";
  source->pause(true);
  source->hold_back({1});
  EXPECT_EQ(drain(*source, 2, kSecond), Texts{});
  cluster.produce("a", 1, 1, "r");
  source->pause(false);
  EXPECT_EQ(drain(*source, 2), (Texts{"0/1:p0", "0/2:p1"}));
  EXPECT_EQ(drain(*source, 1, 2 * kSecond), Texts{});
  source->hold_back({});
  EXPECT_EQ(drain(*source, 1), Texts{"1/1:r0"});
}

// Two members of a group and a topic of two partitions, of which 3 records each were read by the first.
class KafkaSourceGroup : public ::testing::Test {
 protected:
  void SetUp() override {
    cluster_.create("a", 2);
    cluster_.produce("a", 0, 3);
    cluster_.produce("a", 1, 3);
    first_ = opened(params(cluster_, {"a"}), first_handler_);
    ASSERT_EQ(drain(*first_, 6).size(), 6U);
    first_handler_.positions = second_handler_.positions = {{0, 3}, {1, 3}};
  }
  // Returns the partition that goes over.
  std::string second_joins() {
    second_ = opened(params(cluster_, {"a"}), second_handler_);
    EXPECT_TRUE(poll_until(*first_, [&] {
      RawBatch batch;
      EXPECT_TRUE(second_->poll(Deadline::after(20 * kMillisecond), batch).ok());
      return !second_handler_.events.empty();
    }));
    EXPECT_EQ(second_handler_.events.size(), 1U);
    return second_handler_.events.empty() ? "" : second_handler_.events[0].substr(std::string("assigned ").size());
  }

  KafkaCluster cluster_;
  RecordingHandler first_handler_, second_handler_;
  std::unique_ptr<Source> first_, second_;
};

TEST_F(KafkaSourceGroup, ANewMemberTakesPartitionsOverInGoodOrder) {
  const std::string moved = second_joins();
  EXPECT_EQ(first_handler_.events.back(), "revoked " + moved);
  cluster_.produce("a", std::stoi(moved), 1, "new");
  EXPECT_EQ(drain(*second_, 1), Texts{moved + "/3:new0"});
}

// librdkafka keeps that it is paused; pause(false) comes while the partition is another member's.
TEST_F(KafkaSourceGroup, OneThatWasPausedWhenItWentIsReadWhenItIsBack) {
  first_->pause(true);
  const std::string moved = second_joins();
  first_->pause(false);
  second_->close();
  ASSERT_TRUE(poll_until(*first_, [&] { return first_handler_.events.back() == "assigned " + moved; }));
  cluster_.produce("a", std::stoi(moved), 1, "new");
  EXPECT_EQ(drain(*first_, 1), Texts{moved + "/3:new0"});
}

TEST_F(KafkaSourceGroup, OneThatIsHeldBackIsSoWhenItIsBack) {
  first_->hold_back({0, 1});
  const std::string moved = second_joins();
  cluster_.produce("a", std::stoi(moved), 1, "new");
  EXPECT_EQ(drain(*second_, 1), Texts{moved + "/3:new0"}) << "the other one does not";
  second_->close();
  ASSERT_TRUE(poll_until(*first_, [&] { return first_handler_.events.back() == "assigned " + moved; }));
  EXPECT_EQ(drain(*first_, 1, kSecond), Texts{});
  first_->hold_back({});
  EXPECT_EQ(drain(*first_, 1), Texts{moved + "/3:new0"});
}

// librdkafka halts the partitions of a member by itself while a rebalance is announced; what it hands over in that
// moment must not fall out.
TEST(KafkaSource, NoRecordIsSkippedWhileMembersComeAndGo) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 0, 1);
  cluster.produce("a", 1, 1);
  std::map<std::uint32_t, std::int64_t> next;  // where each partition goes on, whoever has it
  RecordingHandler first_handler, second_handler;
  std::size_t skipped = 0;
  const auto take = [&](Source& source, Duration wait) {
    RawBatch batch;
    ASSERT_TRUE(source.poll(Deadline::after(wait), batch).ok());
    for (const RawRecord& record : batch.records) {
      skipped += record.position > next[batch.partition] ? 1 : 0;
      next[batch.partition] = record.position + 1;
    }
    if (!batch.records.empty()) {
      first_handler.positions[batch.partition] = second_handler.positions[batch.partition] = next[batch.partition];
    }
  };
  std::atomic<bool> stop{false};
  std::thread producer([&] {
    while (!stop) {
      for (const int partition : {0, 1}) cluster.produce("a", partition, 5);
    }
  });
  auto first = opened(params(cluster, {"a"}), first_handler);
  for (int turn = 0; turn < 3; ++turn) {
    auto second = opened(params(cluster, {"a"}), second_handler);
    const auto assigned = [&] { return second_handler.events.empty() || second_handler.events.back().starts_with("revoked"); };
    for (const Deadline deadline = Deadline::after(30 * kSecond); assigned() && !deadline.passed();) {
      take(*first, 50 * kMillisecond);
      take(*second, 0);
    }
    EXPECT_FALSE(assigned());
    for (int i = 0; i < 20; ++i) {
      take(*first, 50 * kMillisecond);
      take(*second, 0);
    }
    second->close();
    const std::size_t known = first_handler.events.size();
    for (const Deadline deadline = Deadline::after(30 * kSecond); first_handler.events.size() == known && !deadline.passed();)
      take(*first, 50 * kMillisecond);
  }
  stop = true;
  producer.join();
  EXPECT_GT(next[0] + next[1], 100);
  EXPECT_EQ(skipped, 0U);
}

TEST(KafkaSource, ABrokerThatIsAwayIsAStatus) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 1, "x");
  RecordingHandler handler;
  Telemetry telemetry;
  SourceContext context;
  context.stream = "s";
  context.telemetry = &telemetry;
  auto source = opened(params(cluster, {"a"}), handler, context);
  ASSERT_EQ(drain(*source, 1).size(), 1U);
  ASSERT_TRUE(poll_until(*source, [&] { return source->status().connected; }));
  rd_kafka_mock_broker_set_down(cluster.mock(), 1);
  ASSERT_TRUE(poll_until(*source, [&] { return !source->status().connected; }));
  EXPECT_FALSE(source->status().detail.empty());
  EXPECT_EQ(telemetry.series(Metric::kSourceReconnects, {"s", "kafka"}).value(), 1);
  rd_kafka_mock_broker_set_up(cluster.mock(), 1);
  ASSERT_TRUE(poll_until(*source, [&] { return source->status().connected; }));
  EXPECT_EQ(source->status().detail, "");
  cluster.produce("a", 0, 1, "y");
  EXPECT_EQ(drain(*source, 1), Texts{"0/1:y0"});
}

TEST(KafkaSource, ABrokerThatWasNeverThereIsAStatusToo) {
  RecordingHandler handler;
  auto source = opened(Node::map({{"brokers", Node::text("127.0.0.1:1")}, {"topics", Node::text("a")}}), handler);
  ASSERT_TRUE(poll_until(*source, [&] { return source->status().detail.find("127.0.0.1:1") != std::string::npos; }));
  EXPECT_FALSE(source->status().connected);
  source->close();
}

TEST(KafkaSource, ATopicThatIsNotThereIsNamedUntilItIsAndTheOthersGoOn) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.create("b", 1);
  cluster.produce("b", 0, 1, "x");
  rd_kafka_mock_topic_set_error(cluster.mock(), "a", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a", "b"}, {{"start", Node::text("latest")}}, kSoon), handler);
  ASSERT_TRUE(poll_until(*source, [&] { return source->status().connected && source->status().assigned; }));
  ASSERT_TRUE(poll_until(*source, [&] { return !source->status().missing.empty(); }));
  EXPECT_EQ(source->status().missing, "topic 'a' does not exist (any more); create it, or, if it is the last, take it out of `topics`");
  EXPECT_FALSE(source->status().ready());
  cluster.produce("b", 0, 1, "y");
  EXPECT_EQ(drain(*source, 1), Texts{"65536/1:y0"});
  EXPECT_FALSE(source->status().missing.empty()) << "what comes of another topic does not end it";
  rd_kafka_mock_topic_set_error(cluster.mock(), "a", RD_KAFKA_RESP_ERR_NO_ERROR);
  cluster.produce("a", 0, 1, "z");
  EXPECT_EQ(drain(*source, 1), Texts{"0/0:z0"}) << "it was made while we waited for it, so nothing of it is old";
  EXPECT_TRUE(source->status().ready());
  source->close();
}

TEST(KafkaSource, ATopicThatMustNotBeReadIsNamed) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  rd_kafka_mock_topic_set_error(cluster.mock(), "a", RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}, {}, kSoon), handler);
  ASSERT_TRUE(poll_until(*source, [&] { return !source->status().missing.empty(); }));
  EXPECT_NE(source->status().missing.find("topic 'a' must not be read"), std::string::npos) << source->status().missing;
}

TEST(KafkaSource, RefusesWhatCannotWork) {
  const auto error_of = [](std::vector<std::pair<std::string, Node>> entries) {
    entries.emplace_back("brokers", Node::text("127.0.0.1:1"));
    const auto made = make_source("kafka", Node::map(std::move(entries)));
    return made.ok() ? std::string() : made.error().message;
  };
  const auto with_option = [&](const std::string& name, const std::string& value) {
    return error_of({{"topics", Node::text("a")}, {"options", Node::map({{name, Node::text(value)}})}});
  };
  EXPECT_EQ(error_of({{"topics", Node::text("a")}}), "");
  EXPECT_NE(error_of({{"topics", Node::text("^a")}}), "");
  EXPECT_NE(error_of({{"topics", list({"a", "b", "a"})}}), "");
  EXPECT_NE(with_option("no.such.option", "1").find("no.such.option"), std::string::npos);
  EXPECT_NE(with_option("session.timeout.ms", "soon").find("session.timeout.ms"), std::string::npos);
  const std::string secret = with_option("ssl.key.pem", "my-private-key");
  EXPECT_EQ(secret.find("my-private-key"), std::string::npos) << secret;
  EXPECT_NE(secret.find("ssl.key.location"), std::string::npos) << secret;
  const std::string password = with_option("sasl.password", "pa55");
  EXPECT_EQ(password.find("pa55"), std::string::npos) << password;
  EXPECT_NE(password.find("sasl_password_file"), std::string::npos) << password;
  const TextPairs bootstrap = {{"bootstrap.servers", "user:pa55@b:1"}, {"metadata.broker.list", "b:1,user:pa55@b:2"}};
  for (const auto& [name, value] : bootstrap) {
    EXPECT_NE(with_option(name, value).find("'" + name + "' takes no user or password"), std::string::npos);
    EXPECT_EQ(with_option(name, value).find("pa55"), std::string::npos);
  }
  const auto logged_in = kafka_conf({{"b:1", "user:pa55@b:2"}, {}, ""}, {});
  ASSERT_FALSE(logged_in.ok());
  EXPECT_NE(logged_in.error().message.find("'brokers' takes no user or password"), std::string::npos) << logged_in.error().message;
  EXPECT_EQ(logged_in.error().message.find("pa55"), std::string::npos);
  EXPECT_NE(with_option("ssl.keystore.location", "/k").find("ssl.certificate.location and ssl.key.location"), std::string::npos);
  for (const auto& [own, value] : std::vector<std::pair<std::string, std::string>>{{"group.id", "other"},
                                                                                   {"group.instance.id", "other"},
                                                                                   {"enable.auto.commit", "true"},
                                                                                   {"auto.commit.enable", "true"},
                                                                                   {"enable.auto.offset.store", "true"},
                                                                                   {"auto.offset.reset", "latest"},
                                                                                   {"enable.partition.eof", "true"},
                                                                                   {"transactional.id", "other"}}) {
    EXPECT_NE(with_option(own, value).find("'" + own + "' is driftd's own: "), std::string::npos) << own;
  }
  for (const auto& [name, value] :
       {std::pair{"enable.ssl.certificate.verification", "false"}, {"ssl.endpoint.identification.algorithm", "none"}}) {
    EXPECT_NE(with_option(name, value).find("always verified"), std::string::npos) << name;
  }
  EXPECT_EQ(with_option("ssl.endpoint.identification.algorithm", "https"), "");
  EXPECT_EQ(with_option("isolation.level", "read_uncommitted"), "");
  EXPECT_EQ(with_option("partition.assignment.strategy", "range"), "");
  const std::string no_file = error_of({{"topics", Node::text("a")}, {"sasl_password_file", Node::text("/nowhere/p")}});
  EXPECT_NE(no_file.find("/nowhere/p"), std::string::npos);
}

}  // namespace
}  // namespace driftd::ingest
