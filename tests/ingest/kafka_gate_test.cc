// The gate on an in-process cluster; with a real Kafka: tests/e2e/test_gate.py.
#include "ingest/kafka_gate.h"

#include "ingest/group_metadata.h"
#include "ingest/kafka_watermarks.h"
#include "tests/ingest/kafka_source_harness.h"

namespace driftd::ingest {
namespace {

constexpr const char* kOther = "other";

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
      ASSERT_TRUE(source->poll(Deadline::after(kMinute), raw).value());
      came += raw.records.size();
      batches_.push_back(std::make_shared<const RawBatch>(std::exchange(raw, {})));
    }
    for (const int partition : {0, 1}) source->commit(partition, 2);
    source->close();
    auto conf = kafka_conf({{cluster_.brokers()}, {}, ""}, {{"group.id", "looks"}});
    client_ = kafka_consumer(std::move(*conf), nullptr).value();
  }

  // A gate that has both partitions, from their beginnings.
  void open(const char* group = "driftd") {
    handler_.positions = {{0, 0}, {1, 0}};
    source_ = opened(params(cluster_, {"in"}, {{"group", Node::text(group)}}, kSoon), handler_);
    gate_ = source_->make_gate({"out", "bad", "gate"}).value();
    ASSERT_TRUE(poll_until(
        *source_, [&] { return handler_.settled == 1; }, 2 * kMinute));
    for (const std::uint32_t partition : {0U, 1U}) gate_->assigned(partition, 0);
  }

  template <class Done>
  bool works(const Done& done) {
    return poll_until(*source_, [&] {
      gate_->work(true);
      return done();
    });
  }

  // As if by a gate: another group, which has no members yet, stands behind two records of each partition, the newest of which has this
  // payload.
  void commit_behind(const std::string& payload) {
    auto conf = kafka_conf({{cluster_.brokers()}, {}, ""}, {{"group.id", kOther}});
    const KafkaHandle client = kafka_consumer(std::move(*conf), nullptr).value();
    const KafkaList list = new_kafka_list();
    for (const auto& raw : batches_) {
      if (raw->records.front().position != 0) continue;
      RawRecord second = raw->records[1];
      second.payload = payload;
      add_offset(*list, "in", static_cast<std::int32_t>(raw->partition), 2, GroupMetadata{"", mark_of(second)}.text());
    }
    ASSERT_EQ(list->cnt, 2);
    ASSERT_EQ(rd_kafka_commit(client.get(), list.get(), 0), RD_KAFKA_RESP_ERR_NO_ERROR);
  }

  std::int64_t forwarded(int partition) { return kafka_end(client_.get(), "out", partition, 60000).value(); }

  void add(Gate& gate, std::uint32_t partition) const {
    for (const auto& raw : batches_) {
      if (raw->partition == partition) gate.add({raw, {}, {}});
    }
  }

  // By a gate of the other group that gets all records.
  std::int64_t forwarded_of_all() {
    open(kOther);
    for (const std::uint32_t partition : {0U, 1U}) add(*gate_, partition);
    EXPECT_TRUE(works([&] { return gate_->idle(); })) << gate_->trouble();
    return forwarded(0) + forwarded(1);
  }

  KafkaCluster cluster_;
  std::vector<std::shared_ptr<const RawBatch>> batches_;  // of the source: all 10 records
  KafkaHandle client_;
  RecordingHandler handler_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Gate> gate_;
};

// Where it stands there is known only when the leader is back; nothing of the others has to wait for that.
TEST_F(KafkaGateTest, APartitionWithoutALeaderHoldsUpNoOther) {
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "in", 1, -1);
  open();
  add(*gate_, 0);
  ASSERT_TRUE(works([&] { return gate_->idle(); })) << gate_->trouble();
  EXPECT_EQ(forwarded(0), 3) << "what the group had not forwarded before";
  EXPECT_EQ(gate_->trouble(), "");

  // It has something of that partition too: then that waits, and says why.
  add(*gate_, 1);
  ASSERT_TRUE(works([&] { return gate_->trouble().find("partition 1 of in has no leader") != std::string::npos; })) << gate_->trouble();
  EXPECT_EQ(forwarded(1), 0);
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "in", 1, 1);
  ASSERT_TRUE(works([&] { return gate_->idle(); })) << gate_->trouble();
  EXPECT_EQ(forwarded(1), 3);
  EXPECT_EQ(gate_->trouble(), "");
}

TEST_F(KafkaGateTest, WhatWasCommittedOfThisTopicIsPassedOver) {
  commit_behind("1");
  EXPECT_EQ(forwarded_of_all(), 3 + 3);
}

TEST_F(KafkaGateTest, WhatWasCommittedOfAnotherTopicOfThisNameIsNot) {
  commit_behind("of another record");
  EXPECT_EQ(forwarded_of_all(), 5 + 5);
}

// The topic was made anew while it ran; here the new one has the records of the old one, but for their payloads.
TEST_F(KafkaGateTest, ATopicMadeAnewIsForwardedFromItsBeginning) {
  open();
  RawBatch old = *batches_[0];
  for (RawRecord& record : old.records) record.payload = "old";
  gate_->add({std::make_shared<const RawBatch>(std::move(old)), {}, {}});
  ASSERT_TRUE(works([&] { return gate_->idle(); })) << gate_->trouble();
  const auto both = [&] { return forwarded(0) + forwarded(1); };
  const std::int64_t before = both();
  gate_->add({batches_[0], {}, {}});
  ASSERT_TRUE(works([&] { return gate_->idle(); })) << gate_->trouble();
  EXPECT_EQ(both(), before + static_cast<std::int64_t>(batches_[0]->records.size()));
}

// Which ones it learns later; their next owner goes on where the group stands.
TEST_F(KafkaGateTest, NothingIsForwardedWhilePartitionsAreAboutToGo) {
  open();
  ASSERT_TRUE(works([&] { return gate_->connected(); }));
  for (const std::uint32_t partition : {0U, 1U}) add(*gate_, partition);
  gate_->expire();
  for (int i = 0; i < 20; ++i) {
    RawBatch raw;
    (void)source_->poll(Deadline::after(20 * kMillisecond), raw);
    gate_->work(true);
  }
  EXPECT_EQ(gate_->rest(), 0) << "it is asked again at once, so that it learns which";
  EXPECT_EQ(forwarded(0) + forwarded(1), 0);
  gate_->dropped({1});
  ASSERT_TRUE(works([&] { return gate_->idle(); })) << gate_->trouble();
  EXPECT_EQ(forwarded(0), 3);
  EXPECT_EQ(forwarded(1), 0);
}

}  // namespace
}  // namespace driftd::ingest
