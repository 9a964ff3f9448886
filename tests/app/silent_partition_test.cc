// Whether a partition is silent, or only not read yet, in a whole service that reads from several brokers.
#include <gtest/gtest.h>

#include <chrono>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/run/service.h"
#include "tests/ingest/kafka_cluster.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

using ingest::KafkaCluster;

constexpr Time kStart = 1700000000 * kSecond;
constexpr int kRows = 100;

class KafkaSilentPartitionTest : public ::testing::Test {
 protected:
  std::unique_ptr<Service> start(const std::string& idle = "1h", const std::string& waiting = "64MiB") {
    const std::string path = folder_.path() + "/driftd.yaml";
    std::ofstream(path) << "service: {listen: 127.0.0.1:0, data_dir: " + folder_.path() +
                               "/data, findings: {all: true}, limits: {waiting: " + waiting +
                               "}}\n"
                               "streams:\n"
                               "  plant:\n"
                               "    from: {kafka: {brokers: [\"" +
                               cluster_.brokers() +
                               "\"], topics: [plant], group: plant}}\n"
                               "    decode: {format: json, sensor: sensor, time: {field: ts, unit: s}}\n"
                               "    fields: {temperature: number}\n"
                               "    windows: {size: 10s, lateness: 0s, idle: " +
                               idle +
                               ", by: [stream]}\n"
                               "    checks: [{check: count, min: 0, max: 1000000}]\n";
    auto config = load_config(path);
    EXPECT_TRUE(config.ok()) << config.error().message;
    auto service = std::make_unique<Service>(std::move(*config), path);
    const Status started = service->start();
    EXPECT_TRUE(started.ok()) << (started.ok() ? "" : started.error().message);
    return service;
  }

  // One row a second.
  void send(int partition, int rows = kRows, int first = 0) {
    for (int i = first; i < first + rows; ++i) {
      const std::int64_t second = kStart / kSecond + i;
      cluster_.send("plant", partition,
                    "{\"sensor\":\"p" + std::to_string(partition) + "\",\"ts\":" + std::to_string(second) + ",\"temperature\":20}",
                    second * 1000);
    }
  }

  // Records of each window that was judged.
  std::vector<int> judged() const {
    std::ifstream log(folder_.path() + "/data/findings.jsonl");
    std::vector<int> out;
    for (std::string line; std::getline(log, line) && !log.eof();) {  // without its end it is being written
      const auto finding = nlohmann::json::parse(line);
      if (finding["check"] == "count") out.push_back(finding["value"].get<int>());
    }
    return out;
  }

  static bool within(Duration patience, const std::function<bool()>& probe) {
    for (const Deadline deadline = Deadline::after(patience); !probe();) {
      if (deadline.passed()) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
  }

  ingest::TempFolder folder_;
  KafkaCluster cluster_{2};
};

// Partition 1 has no leader, once that has said that it is empty, for longer than one that was never heard of is waited for.
TEST_F(KafkaSilentPartitionTest, OneThatCannotBeReadYetIsWaitedFor) {
  cluster_.create("plant", 2);
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "plant", 0, 1);
  rd_kafka_mock_broker_set_rtt(cluster_.mock(), 2, 1500);  // nobody is told that it is empty before its records are there
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "plant", 1, 2);
  cluster_.flush();
  rd_kafka_mock_broker_set_rtt(cluster_.mock(), 2, 0);
  rd_kafka_mock_coordinator_set(cluster_.mock(), "group", "plant", 1);
  const auto service = start();
  ASSERT_TRUE(within(30 * kSecond, [&] { return service->stream_status().front().lag == 0; }));
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "plant", 1, -1);
  send(0);
  send(1);
  EXPECT_FALSE(within(8 * kSecond, [&] { return !judged().empty(); })) << "a window without a partition";
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "plant", 1, 2);
  ASSERT_TRUE(within(60 * kSecond, [&] { return judged().size() >= kRows / 10 - 1; }));
  EXPECT_EQ(judged(), std::vector<int>(kRows / 10 - 1, 20));
  EXPECT_EQ(service->stream_status().front().late, 0U);
  service->stop();
}

// Windows wait for partition 1, which cannot be read; those of partition 0 stay in Kafka, and not in memory.
TEST_F(KafkaSilentPartitionTest, OthersAreNotReadOnForEver) {
  constexpr int kMany = 100000;
  constexpr double kMost = 1 << 20;
  cluster_.create("plant", 2);
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "plant", 0, 1);
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "plant", 1, 2);
  rd_kafka_mock_coordinator_set(cluster_.mock(), "group", "plant", 1);
  const auto service = start("1h", "1MiB");
  send(1, 10);
  ASSERT_TRUE(within(30 * kSecond, [&] { return service->stream_status().front().accepted == 10; }));
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "plant", 1, -1);
  for (int i = 0; i < kMany; i += 5000) {
    send(0, 5000, i);
    cluster_.flush();
  }
  Series& waiting = service->telemetry().series(Metric::kWindowsWaiting, {"plant"});
  ASSERT_TRUE(within(30 * kSecond, [&] { return waiting.value() >= kMost; }));
  double most = 0;
  EXPECT_FALSE(within(5 * kSecond, [&] {
    most = std::max(most, waiting.value());
    return service->stream_status().front().accepted > kMany * 9 / 10;
  })) << "read on";
  EXPECT_LT(most, 6 * kMost) << "with what was on its way to the workers";
  EXPECT_TRUE(within(60 * kSecond, [&] { return service->stream_status().front().lag > kMany / 10; })) << "which its lag shows";
  rd_kafka_mock_partition_set_leader(cluster_.mock(), "plant", 1, 2);
  send(1, kMany - 10, 10);
  ASSERT_TRUE(within(120 * kSecond, [&] { return judged().size() >= kMany / 10 - 1; }));
  EXPECT_EQ(judged(), std::vector<int>(kMany / 10 - 1, 20));
  EXPECT_EQ(service->stream_status().front().late, 0U);
  EXPECT_TRUE(within(30 * kSecond, [&] { return waiting.value() < kMost; }));
  service->stop();
}

}  // namespace
}  // namespace driftd::app
