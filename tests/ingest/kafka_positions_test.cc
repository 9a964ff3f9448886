// From where a Kafka source reads what it is given.
#include <chrono>
#include <thread>

#include "ingest/kafka_start.h"
#include "tests/ingest/kafka_source_harness.h"

namespace driftd::ingest {
namespace {

TEST(KafkaPositions, WithoutAPositionGoesOnWhereTheGroupStandsAndSaysSo) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 0, 10);
  {
    RecordingHandler handler;
    auto source = opened(params(cluster, {"a"}), handler);
    ASSERT_EQ(drain(*source, 10).size(), 10U);
    EXPECT_TRUE(handler.starts.empty()) << "the very first start is at the beginning of everything";
    EXPECT_EQ(handler.settled, 1);
    source->commit(0, 7);
    source->close();
  }
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}, {{"start", Node::text("latest")}}), handler);
  EXPECT_EQ(drain(*source, 3), (Texts{"0/7:7", "0/8:8", "0/9:9"}));
  EXPECT_EQ(handler.starts, (Texts{"0/7 amid"}));
}

TEST(KafkaPositions, LatestIsANumberAtTheFirstStart) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 4);
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}, {{"start", Node::text("latest")}}), handler);
  ASSERT_TRUE(poll_until(*source, [&] { return handler.settled == 1; }));
  EXPECT_EQ(handler.starts, (Texts{"0/4"}));
}

TEST(KafkaPositions, APartitionThatWasAddedIsReadFromItsBeginningAlsoWithLatest) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 0, 3);
  cluster.produce("a", 1, 2, "new");
  RecordingHandler handler;
  handler.positions[0] = 3;
  auto source = opened(params(cluster, {"a"}, {{"start", Node::text("latest")}}), handler);
  EXPECT_EQ(drain(*source, 2), (Texts{"1/0:new0", "1/1:new1"}));
}

// A member that reads the ten records of the one partition, shows a position to the group and leaves.
void read_and_commit(const KafkaCluster& cluster, std::int64_t position, const SourceContext& context = {}) {
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}), handler, context);
  EXPECT_EQ(drain(*source, 10).size(), 10U);
  source->commit(0, position);
  source->close();
}

TEST(KafkaPositions, GoesOnWhereTheHandlerSaysWhateverTheGroupCommitted) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 10);
  read_and_commit(cluster, 10);
  RecordingHandler handler;
  handler.positions[0] = 7;
  auto source = opened(params(cluster, {"a"}), handler);
  EXPECT_EQ(drain(*source, 3), (Texts{"0/7:7", "0/8:8", "0/9:9"}));
}

// Marks of the records of partition 0, in order.
std::vector<RecordMark> marks_of(const KafkaCluster& cluster, std::size_t n) {
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}), handler);
  std::vector<RecordMark> out;
  RawBatch batch;
  for (const Deadline deadline = Deadline::after(30 * kSecond); out.size() < n && !deadline.passed();) {
    const auto got = source->poll(Deadline::after(50 * kMillisecond), batch);
    EXPECT_TRUE(got.ok());
    for (const RawRecord& record : batch.records) out.push_back(mark_of(record));
  }
  source->close();
  return out;
}

TEST(KafkaPositions, ATopicThatHasTheRecordBeforeOurPositionIsGoneOnIn) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 10);
  const auto marks = marks_of(cluster, 10);
  ASSERT_EQ(marks.size(), 10U);
  RecordingHandler handler;
  handler.positions = {{0, 7}};
  handler.marks = {{0, marks[4]}};  // 5 and 6 may have been marks of a transaction
  {
    auto source = opened(params(cluster, {"a"}), handler);
    EXPECT_EQ(drain(*source, 3), (Texts{"0/7:7", "0/8:8", "0/9:9"}));
    source->close();
  }
  EXPECT_TRUE(handler.starts.empty());
  handler.positions = {{0, 10}};
  handler.marks = {{0, marks[9]}};
  auto source = opened(params(cluster, {"a"}), handler);
  const auto at_end = [&] { return source->at_end({0}, {}).value_or(std::set<std::uint32_t>()).count(0) == 1; };
  EXPECT_TRUE(poll_until(*source, at_end)) << "silent, once it is known to be the one";
  cluster.produce("a", 0, 1, "new");
  EXPECT_EQ(drain(*source, 1), Texts{"0/10:new0"});
}

// `topics` was [b, a]: what driftd has in this place is of b, and where a goes on says the group.
TEST(KafkaPositions, ATopicInThePlaceOfAnotherGoesOnWhereTheGroupStands) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 10);
  read_and_commit(cluster, 8);
  RecordingHandler handler;
  handler.positions = {{0, 5}};
  handler.marks = {{0, {4, 0, 1, hash_of_topic("b")}}};
  auto source = opened(params(cluster, {"a"}), handler);
  EXPECT_EQ(drain(*source, 2), (Texts{"0/8:8", "0/9:9"}));
  EXPECT_EQ(handler.events, (Texts{"assigned 0", "moved 0"}));
  EXPECT_EQ(handler.starts, Texts{"0/8 amid"});
}

// Deleted and made anew while driftd was down: its position is amid other records, which nobody would have read.
TEST(KafkaPositions, ATopicThatHasAnotherRecordThereIsReadFromItsBeginning) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 0, 10);
  cluster.produce("a", 1, 3, "other");
  for (const bool eager : {false, true}) {
    RecordingHandler handler;
    handler.positions = {{0, 7}, {1, eager ? 4 : 3}};
    const std::uint64_t topic = hash_of_topic("a");
    handler.marks = {{0, {6, 0, 1, topic}}, {1, {9, 0, 1, topic}}};  // that of partition 1 is not below its position, so none of it
    Telemetry telemetry;
    SourceContext context;
    context.stream = "s";
    context.telemetry = &telemetry;
    auto source =
        opened(params(cluster, {"a"}, {}, "30000", {{"partition.assignment.strategy", Node::text(eager ? "range" : "cooperative-sticky")}}),
               handler, context);
    Texts expected;
    for (int i = 0; i < 10; ++i) expected.push_back("0/" + std::to_string(i) + ":" + std::to_string(i));
    EXPECT_EQ(drain(*source, 10), expected);
    EXPECT_EQ(handler.starts, Texts{"0/0 amid"});
    EXPECT_EQ(telemetry.series(Metric::kSourceGaps, {"s"}).value(), 1);
    cluster.produce("a", 1, 1, "new");
    EXPECT_EQ(drain(*source, 1)[0], eager ? "1/4:new0" : "1/3:new0");
    source->close();
  }
}

// Of one group, each with a store of its own.
struct TwoDriftd {
  TwoDriftd() {
    us.data_dir = ours.path();
    them.data_dir = others.path();
    cluster.create("a", 1);
    cluster.produce("a", 0, 10);
  }
  TempFolder ours, others;
  SourceContext us, them;
  KafkaCluster cluster;
};

// The partition went to the other and comes back.
TEST(KafkaPositions, WhatOthersHaveReadMeanwhileIsNotReadAgain) {
  TwoDriftd t;
  const auto member = [&](const SourceContext& context, std::optional<std::int64_t> position, std::size_t n, std::int64_t commit) {
    RecordingHandler handler;
    if (position) handler.positions = {{0, *position}};
    auto source = opened(params(t.cluster, {"a"}), handler, context);
    EXPECT_EQ(drain(*source, n).size(), n);
    source->commit(0, commit);
    source->close();
  };
  member(t.us, std::nullopt, 10, 4);
  member(t.them, std::nullopt, 6, 9);
  RecordingHandler handler;
  handler.positions = {{0, 4}};
  {
    auto source = opened(params(t.cluster, {"a"}), handler, t.us);
    EXPECT_EQ(drain(*source, 1), Texts{"0/9:9"});
    EXPECT_EQ(handler.elsewhere, Texts{"0/9"});
    source->close();
  }
  handler.follows = false;  // the position is of a store that all share
  auto source = opened(params(t.cluster, {"a"}), handler, t.us);
  const Texts again = drain(*source, 1);
  ASSERT_FALSE(again.empty());
  EXPECT_EQ(again[0], "0/4:4");
}

// The client keeps that a partition is paused, whatever position it is given then.
TEST(KafkaPositions, OneThatIsHeldBackWhileOthersHadReadItIsLetGo) {
  TwoDriftd t;
  read_and_commit(t.cluster, 9, t.them);
  constexpr std::int16_t kOffsetFetch = 9;
  rd_kafka_mock_push_request_errors(t.cluster.mock(), kOffsetFetch, 2, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                    RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
  RecordingHandler handler;
  handler.positions = {{0, 4}};
  auto source = opened(params(t.cluster, {"a"}), handler, t.us);
  ASSERT_TRUE(poll_until(*source, [&] { return source->status().missing.find("where the group stands") != std::string::npos; }));
  source->hold_back({0});
  ASSERT_TRUE(poll_until(*source, [&] { return !handler.elsewhere.empty(); }));
  RawBatch raw;
  for (int i = 0; i < 10; ++i) EXPECT_FALSE(source->poll(Deadline::after(100 * kMillisecond), raw).value()) << "it is held back still";
  source->hold_back({});
  EXPECT_EQ(drain(*source, 1), Texts{"0/9:9"});
}

// It fell back to the checkpoint before its newest, of which it had told the group.
TEST(KafkaPositions, ItsOwnCommitsBeyondItsPositionAreNotOthers) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 10);
  RecordingHandler handler;
  read_and_commit(cluster, 8);
  handler.positions = {{0, 4}};
  auto source = opened(params(cluster, {"a"}), handler);
  EXPECT_EQ(drain(*source, 6).front(), "0/4:4");
  EXPECT_TRUE(handler.elsewhere.empty());
}

// Starting at either end without knowing would read records twice or skip them.
TEST(KafkaPositions, WaitsUntilItKnowsWhereTheGroupStands) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 10);
  read_and_commit(cluster, 7);
  for (const char* start : {"earliest", "latest"}) {
    constexpr std::int16_t kOffsetFetch = 9;
    rd_kafka_mock_push_request_errors(cluster.mock(), kOffsetFetch, 2, RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    RecordingHandler handler;
    auto source = opened(params(cluster, {"a"}, {{"start", Node::text(start)}}), handler);
    EXPECT_TRUE(poll_until(*source, [&] { return source->status().missing.find("where the group stands") != std::string::npos; })) << start;
    EXPECT_FALSE(source->status().ready());
    EXPECT_EQ(drain(*source, 3), (Texts{"0/7:7", "0/8:8", "0/9:9"})) << start;
    EXPECT_EQ(handler.starts, Texts{"0/7 amid"}) << start;
    EXPECT_TRUE(poll_until(*source, [&] { return source->status().missing.empty(); })) << start;
  }
}

TEST(KafkaPositions, AGapIsCountedAndPassed) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 3);
  RecordingHandler handler;
  handler.positions[0] = 100;  // beyond the end: the topic was made anew
  Telemetry telemetry;
  SourceContext context;
  context.stream = "s";
  context.telemetry = &telemetry;
  auto source = opened(params(cluster, {"a"}), handler, context);
  EXPECT_EQ(drain(*source, 3), (Texts{"0/0:0", "0/1:1", "0/2:2"}));
  EXPECT_EQ(telemetry.series(Metric::kSourceGaps, {"s"}).value(), 1);
}

TEST(KafkaPositions, ATopicThatWasCalledMissingAndIsTheSameIsReadOn) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 3);
  RecordingHandler handler;
  Telemetry telemetry;
  SourceContext context;
  context.stream = "s";
  context.telemetry = &telemetry;
  auto source = opened(params(cluster, {"a"}, {}, kSoon), handler, context);
  ASSERT_EQ(drain(*source, 3).size(), 3U);
  handler.positions[0] = 3;
  rd_kafka_mock_topic_set_error(cluster.mock(), "a", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
  ASSERT_TRUE(poll_until(
      *source, [&] { return !source->status().missing.empty(); }, 60 * kSecond));
  rd_kafka_mock_topic_set_error(cluster.mock(), "a", RD_KAFKA_RESP_ERR_NO_ERROR);
  cluster.produce("a", 0, 1, "new");
  EXPECT_EQ(drain(*source, 1, 60 * kSecond), Texts{"0/3:new0"});
  EXPECT_TRUE(source->status().ready());
  EXPECT_EQ(telemetry.series(Metric::kSourceGaps, {"s"}).value(), 0);
}

TEST(KafkaPositions, LatestSkipsWhatIsThere) {
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 3);
  RecordingHandler handler;
  auto source = opened(params(cluster, {"a"}, {{"start", Node::text("latest")}}), handler);
  ASSERT_TRUE(poll_until(*source, [&] { return handler.settled == 1; }));
  ASSERT_EQ(drain(*source, 1, 1 * kSecond), Texts{});
  ASSERT_EQ(handler.events, Texts{"assigned 0"});
  cluster.produce("a", 0, 1, "new");
  EXPECT_EQ(drain(*source, 1), Texts{"0/3:new0"});
}

// Where it ends is asked for when it can be said, and that of the others does not wait; a partition that came with its topic does
// not become one that was added by going and coming back.
TEST(KafkaPositions, LatestWaitsForALeaderWithoutHoldingUpTheOthers) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 0, 4);
  cluster.produce("a", 1, 5);
  rd_kafka_mock_partition_set_leader(cluster.mock(), "a", 1, -1);
  const Entries latest = {{"start", Node::text("latest")}};
  const Entries eager = {{"partition.assignment.strategy", Node::text("range")}};
  RecordingHandler handler, other_handler;
  auto source = opened(params(cluster, {"a"}, latest, kSoon, eager), handler);
  ASSERT_TRUE(poll_until(*source, [&] { return handler.settled == 1; }));
  EXPECT_EQ(handler.starts, Texts{"0/4"});
  EXPECT_TRUE(poll_until(*source, [&] { return source->status().missing.find("where 1 partition(s) end") != std::string::npos; }));
  {
    const TempFolder folder;
    SourceContext context;
    context.data_dir = folder.path();
    auto other = opened(params(cluster, {"a"}, latest, kSoon, eager), other_handler, context);
    RawBatch batch;
    ASSERT_TRUE(poll_until(*source, [&] {
      return other->poll(Deadline::after(0), batch).ok() && other_handler.settled >= 1 && handler.settled >= 2;  // both have it
    }));
    other->close();
  }
  handler.positions[0] = 4;
  const int settled = handler.settled;
  ASSERT_TRUE(poll_until(*source, [&] { return handler.settled > settled; }));
  rd_kafka_mock_partition_set_leader(cluster.mock(), "a", 1, 1);
  ASSERT_TRUE(poll_until(*source, [&] { return source->status().missing.empty(); }));
  EXPECT_EQ(handler.starts.back(), "1/5");
  cluster.produce("a", 1, 1, "new");
  EXPECT_EQ(drain(*source, 1), Texts{"1/5:new0"});
}

// An eager protocol knows only all partitions at once.
TEST(KafkaPositions, AGapOfOneDoesNotMoveAnother) {
  KafkaCluster cluster;
  cluster.create("a", 2);
  cluster.produce("a", 1, 2);
  const Entries eager = {{"partition.assignment.strategy", Node::text("range")}};
  {
    RecordingHandler handler;
    auto source = opened(params(cluster, {"a"}, {}, kSoon, eager), handler);
    ASSERT_EQ(drain(*source, 2).size(), 2U);
    source->commit(1, 2);
    source->close();
  }
  cluster.produce("a", 0, 3);
  RecordingHandler handler;
  handler.positions[0] = 100;
  Telemetry telemetry;
  SourceContext context;
  context.stream = "s";
  context.telemetry = &telemetry;
  auto source = opened(params(cluster, {"a"}, {}, kSoon, eager), handler, context);
  EXPECT_EQ(drain(*source, 3), (Texts{"0/0:0", "0/1:1", "0/2:2"}));
  EXPECT_EQ(telemetry.series(Metric::kSourceGaps, {"s"}).value(), 1);
  cluster.produce("a", 1, 1, "new");
  EXPECT_EQ(drain(*source, 1), Texts{"1/2:new0"});
}

// Of records that wait to be taken while retention takes those behind them: where the batches begin that come, and of how many gaps
// was told before each. The broker of these tests keeps 5 MB. Nothing tells when librdkafka has fetched what nobody takes, so it is
// given some time: too little, and the records before the gap (3 to 7) are gone as well.
std::vector<std::pair<std::int64_t, std::size_t>> around_a_gap(Duration time, RecordingHandler& handler) {
  const auto wait = [](Duration d) { std::this_thread::sleep_for(std::chrono::nanoseconds(d)); };
  KafkaCluster cluster;
  cluster.create("a", 1);
  cluster.produce("a", 0, 3, "x");
  auto source = opened(params(cluster, {"a"}), handler);
  EXPECT_EQ(drain(*source, 3).size(), 3U);
  cluster.produce("a", 0, 5, "y");
  wait(time);
  rd_kafka_mock_broker_set_rtt(cluster.mock(), 1, static_cast<int>(2 * time / kMillisecond));  // nothing is fetched while the rest comes
  wait(time);
  for (int i = 0; i < 80; ++i) cluster.send("a", 0, std::string(100000, 'z'));
  cluster.flush();
  wait(5 * time);  // it is known that there is a gap, and that waits behind them
  rd_kafka_mock_broker_set_rtt(cluster.mock(), 1, 0);
  RawBatch batch;
  std::vector<std::pair<std::int64_t, std::size_t>> came;
  for (const Deadline deadline = Deadline::after(30 * kSecond); !deadline.passed() && (came.empty() || came.back().first < 8);) {
    EXPECT_TRUE(source->poll(Deadline::after(100 * kMillisecond), batch).ok());
    if (!batch.records.empty()) came.emplace_back(batch.records.front().position, handler.starts.size());
  }
  return came;
}

// What follows a gap warms up, so nothing of before may come after it was told of.
TEST(KafkaPositions, WhatCameBeforeAGapGoesFirst) {
  for (Duration time = kSecond / 2; time <= 4 * kSecond; time *= 2) {
    RecordingHandler handler;
    const auto came = around_a_gap(time, handler);
    ASSERT_FALSE(came.empty());
    if (came.front().first != 3 || came.back().first == 8) continue;  // too slow: no gap behind the first ones
    EXPECT_EQ(came.front().second, 0U);
    EXPECT_EQ(came.back().second, 1U);
    EXPECT_EQ(handler.starts, Texts{"0/" + std::to_string(came.back().first) + " amid"});
    return;
  }
  FAIL() << "nothing was fetched in time";
}

}  // namespace
}  // namespace driftd::ingest
