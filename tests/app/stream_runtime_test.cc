// A stream beside a checkpoint store that cannot always be read.
#include "app/run/stream_runtime.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>

#include <functional>
#include <thread>

#include "app/run/checkpoint_check.h"
#include "core/clock.h"
#include "ingest/kafka_client.h"
#include "tests/ingest/kafka_cluster.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

// Has one partition at 100 of 240 records and a merger; the partition cannot be read while `error` is set.
struct OneStore final : CheckpointStore {
  Result<std::uint64_t> put(const Checkpoint&) override { return 0; }
  Result<std::optional<CheckpointUnit>> unit(const std::string& stream, std::int64_t partition) override {
    if (partition == kMergerUnit) return std::optional<CheckpointUnit>();
    if (error) return *error;
    if (!known) return std::optional<CheckpointUnit>();
    CheckpointUnit unit{stream, partition, position, "", "", true};
    return std::optional<CheckpointUnit>(unit);
  }
  Result<Progress> progress(const std::string&) override { return Progress{}; }
  Status remove(const std::string&) override { return {}; }

  std::optional<Error> error;
  bool known = true;
  std::int64_t position = 100;
};

class StreamRuntimeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    configure("{generator: {speed: 0, duration: 1h, sensors: 2, interval: 30s}}", "sensor_id");
    context_.service = &config_.service;
    context_.telemetry = &telemetry_;
    context_.clock = &clock_;
    context_.store = &store_;
    context_.lost = &lost_;
    context_.on_reject = [](const std::string&, std::uint32_t, const RawRecord&, RejectReason, std::string_view) {};
    context_.on_window = [](ClosedWindow) {};
    context_.checkpoint_now = [this] { return saves_ ? Status() : Status(Error{ErrorCode::kIo, "disk full"}); };
  }

  void configure(const std::string& from, const std::string& sensor) {
    const std::string yaml = "service: {listen: 127.0.0.1:0, data_dir: " + folder_.path() + "}\nstreams:\n  s:\n    from: " + from +
                             "\n    decode: {format: json, sensor: " + sensor +
                             ", time: {field: ts, unit: ms}}\n"
                             "    fields: {temperature: number}\n    windows: {size: 1m, by: [stream]}\n"
                             "    checks: [{check: count, min: 0, max: 1000000}]\n";
    ErrorList errors;
    config_ = read_config(yaml, "", errors);
    ASSERT_TRUE(errors.empty()) << format_errors("test", errors);
  }

  std::unique_ptr<StreamRuntime> make() {
    auto plans = plans_for(config_.streams.front(), nullptr, false);
    EXPECT_TRUE(plans.ok());
    auto made = StreamRuntime::make(context_, std::move(*plans));
    EXPECT_TRUE(made.ok()) << made.error().message;
    return std::move(*made);
  }

  static bool soon(const std::function<bool()>& probe) {
    for (const Deadline deadline = Deadline::after(kMinute); !probe();) {
      if (deadline.passed()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return true;
  }

  ingest::TempFolder folder_;
  Config config_;
  Telemetry telemetry_{1000};
  SystemClock clock_;
  OneStore store_;
  LostPartitions lost_;
  RuntimeContext context_;
  bool saves_ = true;
};

// What cannot be read now may be whole: to go on without it would cost its windows, and the next checkpoint would put the loss in its
// place.
TEST_F(StreamRuntimeTest, AStateThatCannotBeReadNowIsWaitedFor) {
  store_.error = Error{ErrorCode::kIo, "disk I/O error"};
  {
    const auto runtime = make();
    ASSERT_TRUE(runtime->start().ok());
    ASSERT_TRUE(soon([&] { return !runtime->failure().empty(); }));
    EXPECT_NE(runtime->failure().find("disk I/O error"), std::string::npos) << runtime->failure();
    Checkpoint point;
    runtime->freeze();
    runtime->collect(point);
    runtime->thaw();
    for (const CheckpointUnit& unit : point.units) EXPECT_EQ(unit.partition, kMergerUnit) << "nothing takes its place";
    runtime->stop();
    EXPECT_EQ(runtime->status().accepted, 0U);
  }
  store_.error.reset();
  const auto runtime = make();
  ASSERT_TRUE(runtime->start().ok());
  ASSERT_TRUE(soon([&] { return runtime->status().accepted > 0; })) << "the next start goes on";
  EXPECT_EQ(runtime->failure(), "");
}

TEST_F(StreamRuntimeTest, AStateThatIsDamagedIsGivenUp) {
  store_.error = Error{ErrorCode::kCorrupt, "its checksum does not match"};
  const auto runtime = make();
  ASSERT_TRUE(runtime->start().ok());
  ASSERT_TRUE(soon([&] { return runtime->status().accepted > 0; })) << "it warms up";
  EXPECT_EQ(runtime->failure(), "");
}

TEST_F(StreamRuntimeTest, SaysWhenNoCheckpointHasItsEnd) {
  for (const bool saves : {true, false}) {
    saves_ = saves;
    const auto runtime = make();
    ASSERT_TRUE(runtime->start().ok());
    ASSERT_TRUE(soon([&] { return runtime->status().accepted > 0; }));
    runtime->stop();
    EXPECT_EQ(runtime->unsaved(), saves ? "" : "disk full");
  }
}

struct KafkaStreamRuntimeTest : StreamRuntimeTest {};

// Streams go on while a checkpoint is stored: the source is told what is in it, not how far they have come.
TEST_F(KafkaStreamRuntimeTest, WhatIsCommittedIsWhatWasCollected) {
  ingest::KafkaCluster cluster;
  cluster.create("a", 1);
  configure("{kafka: {brokers: [\"" + cluster.brokers() + "\"], topics: [a], group: g}}", "sensor");
  store_.known = false;
  const auto send = [&](int from, int to) {
    for (int i = from; i < to; ++i) {
      cluster.send("a", 0, R"({"sensor":"p","ts":)" + std::to_string(1700000000000 + i) + R"(,"temperature":20})", 1700000000000 + i);
    }
    cluster.flush();
  };
  const auto runtime = make();
  send(0, 5);
  ASSERT_TRUE(runtime->start().ok());
  ASSERT_TRUE(soon([&] { return runtime->status().accepted == 5; }));
  Checkpoint point;
  runtime->freeze();
  runtime->collect(point);
  runtime->thaw();
  send(5, 9);
  ASSERT_TRUE(soon([&] { return runtime->status().accepted == 9; }));
  runtime->committed();
  auto conf = ingest::kafka_conf({{cluster.brokers()}, {}, ""}, {{"group.id", "g"}});
  const ingest::KafkaHandle client = ingest::kafka_consumer(std::move(*conf), nullptr).value();
  std::int64_t group = -1;
  EXPECT_TRUE(soon([&] {
    const ingest::KafkaList list = ingest::new_kafka_list();
    ingest::add_offset(*list, "a", 0, -1);
    if (rd_kafka_committed(client.get(), list.get(), 5000) == RD_KAFKA_RESP_ERR_NO_ERROR) group = list->elems[0].offset;
    return group >= 0;
  }));
  EXPECT_EQ(group, 5);
  saves_ = false;
  runtime->stop();
}

// Its numbers go on where retention has removed records; those of a topic that was made anew begin at 0.
TEST_F(KafkaStreamRuntimeTest, OnlyAPartitionOfATopicMadeAnewNeedNotComeAsFarAgain) {
  ingest::KafkaCluster cluster;
  cluster.create("shortened", 1);  // the stand-in keeps 5 MB
  cluster.create("anew", 1);
  for (int i = 0; i < 10; ++i) cluster.send("shortened", 0, R"({"sensor":"p","more":")" + std::string(900'000, 'x') + R"("})");
  cluster.send("anew", 0, R"({"sensor":"p"})");
  cluster.flush();
  for (const bool anew : {false, true}) {
    const std::string topic = anew ? "anew" : "shortened";
    configure("{kafka: {brokers: [\"" + cluster.brokers() + "\"], topics: [" + topic + "], group: " + topic + "}}", "sensor");
    store_.position = anew ? 100 : 1;
    lost_.lost("s", 0, 200);
    const auto runtime = make();
    const std::uint64_t before = runtime->status().rejected;  // of all that counted there
    ASSERT_TRUE(runtime->start().ok());
    ASSERT_TRUE(soon([&] { return runtime->status().rejected > before; }));
    EXPECT_EQ(lost_.why_behind("s").empty(), anew);
    saves_ = false;
    runtime->stop();
  }
}

}  // namespace
}  // namespace driftd::app
