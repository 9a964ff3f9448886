// The whole service in one process, used from several threads at once as its HTTP server does; under
// ThreadSanitizer this is what shows a race.
#include "app/run/service.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <thread>

#include "app/run/service_api.h"
#include "core/text.h"
#include "exporters/prometheus.h"
#include "ingest/quarantine_reader.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::app {
namespace {

using exporters::Submission;

constexpr Time kStart = 1700000000 * kSecond;
constexpr int kBatches = 60;
constexpr int kRows = 50;  // a batch

class ServiceTest : public ::testing::Test {
 protected:
  // `simulated`: sensors of the generator's stream; with another number that stream starts anew.
  std::string yaml(int simulated) const {
    return "service: {listen: 127.0.0.1:0, data_dir: " + folder_.path() +
           "/data, workers: 3, checkpoint_every: 100ms, findings: {all: true}}\n"
           "streams:\n"
           "  plant:\n"
           "    from: {http: {}}\n"
           "    decode: {format: json, sensor: sensor, time: {field: ts, unit: ms}}\n"
           "    fields: {temperature: number}\n"
           "    windows: {size: 10s, lateness: 1h, idle: 1h, by: [stream]}\n"
           "    checks: [{check: count, min: 0, max: 1000000}]\n"
           "  simulated:\n"
           "    from: {generator: {speed: 0, duration: 2h, sensors: " +
           std::to_string(simulated) +
           "}}\n"
           "    decode: {format: json, sensor: sensor, time: {field: ts, unit: ms}}\n"
           "    fields: {temperature: number, vibration: number}\n"
           "    windows: {size: 1m, by: [stream, sensor]}\n"
           "    checks: [{check: in_range, field: temperature, min: -50, max: 60}]\n";
  }

  void write(int simulated) const { std::ofstream(path()) << yaml(simulated); }
  std::string path() const { return folder_.path() + "/driftd.yaml"; }

  std::unique_ptr<Service> start() {
    auto config = load_config(path());
    EXPECT_TRUE(config.ok()) << config.error().message;
    auto service = std::make_unique<Service>(std::move(*config), path());
    const Status started = service->start();
    EXPECT_TRUE(started.ok()) << (started.ok() ? "" : started.error().message);
    return service;
  }

  static std::string rows(Time from) {
    std::string out;
    for (int i = 0; i < kRows; ++i) {
      out += "{\"sensor\":\"p" + std::to_string(i % 7) + "\",\"ts\":" + std::to_string((from + i * kSecond) / kMillisecond) +
             ",\"temperature\":20}\n";
    }
    return out;
  }

  static void submit(ServiceApi& api, const std::string& body) {
    const Deadline deadline = Deadline::after(kMinute);
    Submission answer;
    do {
      answer = api.submit("plant", body, "application/x-ndjson");
      if (answer.result == Submission::Result::kAccepted) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    } while (!deadline.passed());
    FAIL() << answer.message;
  }

  // As yaml(), but checkpoints are written only when they are asked for.
  void write_without_timer() const {
    std::string text = yaml(5);
    const std::string every = "checkpoint_every: 100ms";
    std::ofstream(path()) << text.replace(text.find(every), every.size(), "checkpoint_every: 1h");
  }

  // Records of the stream `plant` in windows that were judged.
  std::uint64_t judged() const {
    std::ifstream log(folder_.path() + "/data/findings.jsonl");
    std::uint64_t sum = 0;
    for (std::string line; std::getline(log, line) && !log.eof();) {  // without its end it is being written
      const auto finding = nlohmann::json::parse(line);
      if (finding["stream"] == "plant" && finding["check"] == "count") sum += finding["value"].get<std::uint64_t>();
    }
    return sum;
  }

  void wait_for(const std::function<bool()>& probe, const char* what) {
    const Deadline deadline = Deadline::after(60 * kSecond);
    while (!probe()) {
      ASSERT_FALSE(deadline.passed()) << what;
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  ingest::TempFolder folder_;
};

TEST_F(ServiceTest, CountsEveryRecordOnceWhateverIsAskedMeanwhile) {
  write(5);
  {
    auto service = start();
    ServiceApi api(*service);
    std::atomic<bool> done{false};
    std::vector<std::thread> others;
    others.emplace_back([&] {
      while (!done) {
        (void)api.ready();
        (void)api.streams();
        (void)api.findings({});
        (void)api.alerts();
        (void)exporters::prometheus_text(service->telemetry());
      }
    });
    others.emplace_back([&] {
      for (int n = 0; !done; ++n) {
        write(5 + n % 3);  // ends the simulated stream and starts another; `plant` goes on
        EXPECT_TRUE(api.reload().ok());
        service->look_at_references();
      }
    });
    for (int n = 0; n < kBatches; ++n) submit(api, rows(kStart + n * kRows * kSecond));
    done = true;
    for (std::thread& thread : others) thread.join();
    service->stop();
    EXPECT_EQ(judged(), 0U) << "nothing is complete before the lateness has passed";
  }
  auto service = start();
  ServiceApi api(*service);
  // A later record in every partition completes all windows before it.
  for (int n = 0; n < 20; ++n) submit(api, rows(kStart + 24 * kHour + n * kMinute));
  wait_for([&] { return judged() >= kBatches * kRows; }, "the windows of before the restart");
  service->stop();
  EXPECT_EQ(judged(), static_cast<std::uint64_t>(kBatches * kRows));
}

TEST_F(ServiceTest, ItsLimitsAreExported) {
  write(5);
  const auto config = load_config(path());
  ASSERT_TRUE(config.ok());
  auto service = start();
  const std::string text = exporters::prometheus_text(service->telemetry());
  for (const auto& [limit, value] : limits_of(config->service)) {
    const std::string line = "driftd_limit{limit=\"" + limit + "\"} " + format_number(value) + "\n";
    EXPECT_NE(text.find(line), std::string::npos) << line;
  }
}

// Its records are read again from the checkpoint on, and from nowhere before it.
TEST_F(ServiceTest, ACheckpointIsPastNoRejectThatIsNotOnDisk) {
  write_without_timer();
  auto service = start();
  ServiceApi api(*service);
  const auto kept = [&] {
    std::size_t n = 0;
    const auto totals = ingest::read_quarantine(folder_.path() + "/data/quarantine/plant", [&](const ingest::QuarantinedRecord&) { ++n; });
    EXPECT_TRUE(totals.ok());
    return n;
  };
  submit(api, "{}\n{}\n{}\n");
  const auto status = [&] { return service->stream_status(); };
  wait_for([&] { return status()[0].rejected == 3; }, "three rejects");
  EXPECT_EQ(kept(), 0U) << "nothing is written for each record";
  ASSERT_TRUE(service->checkpoint());
  EXPECT_EQ(kept(), 3U);
}

TEST_F(ServiceTest, AWrongFileChangesNothing) {
  write(5);
  auto service = start();
  ServiceApi api(*service);
  submit(api, rows(kStart));
  std::ofstream(path()) << "streams: {plant: {from: {htp: {}}}}\n";
  const Status refused = api.reload();
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("htp"), std::string::npos) << refused.error().message;
  submit(api, rows(kStart + kHour));
  EXPECT_EQ(service->stream_status().size(), 2U);
  EXPECT_EQ(service->telemetry().series(Metric::kReloadOk).value(), 0);
}

}  // namespace
}  // namespace driftd::app
