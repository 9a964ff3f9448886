#include <thread>

#include "ingest/http_intake.h"
#include "ingest/journal_frame.h"
#include "tests/disk.h"
#include "tests/full_disk.h"
#include "tests/ingest/source_harness.h"
#include "tests/ingest/temp_folder.h"

namespace driftd::ingest {
namespace {

class HttpSourceTest : public testing::Test {
 protected:
  void SetUp() override { start(); }
  void start(std::uint64_t cap = 1 << 20) {
    source_.reset();
    SourceContext context;
    context.stream = "s";
    context.data_dir = folder_.path();
    context.journal_cap = cap;
    context.telemetry = &telemetry_;
    context.clock = &clock_;
    context.sensor_path = "id";
    auto made = make_source("http", Node::map({}), context);
    ASSERT_TRUE(made.ok()) << made.error().message;
    source_ = std::move(*made);
    ASSERT_TRUE(source_->open(handler_).ok());
  }
  IntakeResult submit(const std::string& body, const std::string& type = "application/json") {
    return dynamic_cast<HttpIntake&>(*source_).submit(body, type);
  }
  // Payloads in the order of their positions.
  std::vector<std::string> records(std::size_t n) {
    std::map<std::int64_t, std::string> found;
    RawBatch batch;
    const Deadline deadline = Deadline::after(kMinute);
    while (found.size() < n && !deadline.passed()) {
      if (!source_->poll(Deadline::after(50 * kMillisecond), batch).value()) continue;
      for (const RawRecord& r : batch.records) {
        EXPECT_EQ(r.arrival, clock_.now());
        EXPECT_EQ(r.behind.least, clock_.read().behind.least);
        EXPECT_EQ(r.behind.most, clock_.read().behind.most);
        found[r.position] = r.payload;
        where_[std::string(r.payload)] = batch.partition;
      }
    }
    std::vector<std::string> out;
    for (const auto& [position, payload] : found) out.push_back(payload);
    return out;
  }

  TempFolder folder_;
  Telemetry telemetry_;
  ManualClock clock_{1'700'000'000 * kSecond};
  RecordingHandler handler_;
  std::map<std::string, std::uint32_t> where_;
  std::unique_ptr<Source> source_;
};

TEST_F(HttpSourceTest, TakesObjectsArraysAndLines) {
  EXPECT_EQ(submit(R"({"id":"a"})").accepted, 1U);
  EXPECT_EQ(submit(R"([{"id":"b"},{"id":"c"}])").accepted, 2U);
  EXPECT_EQ(submit("{\"id\":\"a\"}\n{\"id\":\"b\",\n", "application/x-ndjson").accepted, 2U);
  EXPECT_EQ(records(5), (std::vector<std::string>{R"({"id":"a"})", R"({"id":"b"})", R"({"id":"c"})", R"({"id":"a"})", "{\"id\":\"b\","}));
  EXPECT_NE(where_[R"({"id":"a"})"], where_[R"({"id":"b"})"]);
  EXPECT_EQ(handler_.events.size(), 16U);
  EXPECT_TRUE(source_->status().connected);
  EXPECT_TRUE(source_->status().assigned);
}

TEST_F(HttpSourceTest, RefusesWhatHoldsNoRecords) {
  EXPECT_EQ(submit("a,b\n1,2\n", "text/csv").status, 415);
  for (const char* body : {"", "{", "7", "{}{}"}) {
    const IntakeResult r = submit(body);
    EXPECT_EQ(r.status, 400) << body;
    EXPECT_FALSE(r.message.empty());
  }
  EXPECT_EQ(submit("[]").status, 200);
  EXPECT_EQ(records(0).size(), 0U);
}

TEST_F(HttpSourceTest, SaysThatItReadsNoCloudEvents) {
  for (const char* type : {"application/cloudevents+json; charset=UTF-8", "application/cloudevents-batch+json"}) {
    const IntakeResult refused = submit(R"([{"specversion":"1.0","id":"1","source":"/pumps","type":"reading","data":{"id":"a"}}])", type);
    EXPECT_EQ(refused.status, 415);
    EXPECT_EQ(refused.accepted, 0U);
    EXPECT_NE(refused.message.find("CloudEvents envelopes are not read: post the data itself"), std::string::npos) << refused.message;
  }
  EXPECT_EQ(records(0).size(), 0U);
}

TEST_F(HttpSourceTest, TakesNothingOfABodyWithTooManyRecords) {
  start(64 << 20);
  std::string body;
  for (int i = 0; i < 100'001; ++i) body += "1\n";
  const IntakeResult refused = submit(body, "application/x-ndjson");
  EXPECT_EQ(refused.status, 413);
  EXPECT_EQ(refused.accepted, 0U);
  EXPECT_NE(refused.message.find("send them in bodies of 100000"), std::string::npos) << refused.message;
  EXPECT_EQ(submit(body.substr(2), "application/x-ndjson").accepted, 100'000U);
  RawBatch batch;
  std::size_t read = 0;
  while (source_->poll(Deadline::after(0), batch).value()) read += batch.records.size();
  EXPECT_EQ(read, 100'000U);
}

TEST_F(HttpSourceTest, WhatWasAcceptedIsThereAfterARestart) {
  clock_.set_behind({kHour, kDay});
  submit(R"([{"id":"a"},{"id":"b"}])");
  start();
  EXPECT_EQ(records(2).size(), 2U);
  for (std::uint32_t p = 0; p < 16; ++p) handler_.positions[p] = 2;
  start();
  submit(R"({"id":"c"})");
  EXPECT_EQ(records(1), (std::vector<std::string>{R"({"id":"c"})"}));
}

TEST_F(HttpSourceTest, WhatComesAfterTheJournalWasLostIsReadAndNotTakenForDone) {
  submit(R"([{"id":"a"},{"id":"b"}])");
  source_.reset();
  std::filesystem::remove_all(folder_.path() + "/journal");
  for (std::uint32_t p = 0; p < 16; ++p) handler_.positions[p] = 2;
  start();
  EXPECT_EQ(submit(R"({"id":"c"})").accepted, 1U);
  EXPECT_EQ(records(1), (std::vector<std::string>{R"({"id":"c"})"}));
  EXPECT_EQ(telemetry_.series(Metric::kSourceGaps, {"s"}).value(), 1);
}

TEST_F(HttpSourceTest, AFullJournalSaysTryAgainAndHasRoomAfterACheckpoint) {
  start(10000);
  const std::string body = R"([{"id":"a","v":")" + std::string(1000, 'x') + "\"}]";
  int accepted = 0;
  IntakeResult r;
  while ((r = submit(body)).status == 200) ++accepted;
  EXPECT_EQ(r.status, 429);
  EXPECT_GE(r.retry_after, 1U);
  EXPECT_EQ(r.accepted, 0U);
  EXPECT_EQ(accepted, 9);
  EXPECT_EQ(records(9).size(), 9U);
  EXPECT_EQ(submit(body).status, 429) << "read is not yet checkpointed";
  source_->release(where_.begin()->second, 9);
  EXPECT_EQ(submit(body).status, 200);
}

TEST_F(HttpSourceTest, ABodyThatFillsTheJournalIsNotTheLastOne) {
  const auto body = [](std::size_t size) { return R"({"id":"a","v":")" + std::string(size - 17, 'x') + "\"}"; };
  start(10000);
  const std::size_t most = 10000 - kSegmentHeaderBytes - kFrameOverhead;
  for (int i = 0; i < 3; ++i) {
    ASSERT_EQ(submit(body(most)).status, 200) << i;
    EXPECT_EQ(submit(body(20)).status, 429);
    EXPECT_EQ(records(1).size(), 1U);
    for (std::uint32_t p = 0; p < 16; ++p) source_->release(p, i + 1);
  }
  const IntakeResult never = submit(body(most + 1));
  EXPECT_EQ(never.status, 413) << "trying again is of no use";
  EXPECT_EQ(never.retry_after, 0U);
  EXPECT_NE(never.message.find("service.limits.journal"), std::string::npos) << never.message;
  RawBatch batch;
  (void)source_->poll(Deadline::after(0), batch);
  EXPECT_TRUE(source_->status().connected) << "nothing is wrong with the disk";
  EXPECT_EQ(submit(body(most)).status, 200);
}

TEST_F(HttpSourceTest, ADiskThatRefusesShowsInReadinessUntilItTakesWritesAgain) {
  submit(R"({"id":"a"})");
  IntakeResult refused;
  SourceStatus down;
  RawBatch batch;
  {
    const FullDisk full(100);
    refused = submit(R"({"id":"b"})");
    (void)source_->poll(Deadline::after(0), batch);
    down = source_->status();
  }
  EXPECT_EQ(refused.status, 503);
  EXPECT_FALSE(down.connected);
  EXPECT_NE(down.detail.find("journal"), std::string::npos) << down.detail;
  const Deadline deadline = Deadline::after(kMinute);
  while (!source_->status().connected && !deadline.passed()) (void)source_->poll(Deadline::after(50 * kMillisecond), batch);
  EXPECT_TRUE(source_->status().connected);
  EXPECT_EQ(submit(R"({"id":"c"})").status, 200);
}

TEST_F(HttpSourceTest, TakesNothingWhenPausedOrClosed) {
  source_->pause(true);
  submit(R"({"id":"a"})");
  RawBatch batch;
  EXPECT_FALSE(source_->poll(Deadline::after(10 * kMillisecond), batch).value());
  source_->pause(false);
  EXPECT_EQ(records(1).size(), 1U);
  source_->close();
  EXPECT_EQ(submit(R"({"id":"a"})").status, 503);
  EXPECT_EQ(handler_.events.back(), "revoked 15");
}

// A reload opens the same folder again as soon as close() is over.
TEST_F(HttpSourceTest, IsNotClosedWhileAnAppendIsUnderWay) {
  submit(R"({"id":"a"})");
  const int before = disk_writes_begun;
  disk_hangs = true;
  IntakeResult taken;
  std::thread client([&] { taken = submit(R"({"id":"b"})"); });
  while (disk_writes_begun == before) std::this_thread::yield();
  std::atomic<bool> closed{false};
  std::thread closing([&] {
    source_->close();
    closed = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_FALSE(closed) << "the disk has not answered yet";
  disk_hangs = false;
  client.join(), closing.join();
  EXPECT_EQ(taken.status, 200);
  start();
  EXPECT_EQ(submit(R"({"id":"d"})").status, 200);
  EXPECT_EQ(records(3), (std::vector<std::string>{R"({"id":"a"})", R"({"id":"b"})", R"({"id":"d"})"}));
}

TEST_F(HttpSourceTest, ManyClientsAtOnce) {
  std::vector<std::thread> clients;
  for (int c = 0; c < 4; ++c) {
    clients.emplace_back([this] {
      for (int i = 0; i < 50; ++i) EXPECT_EQ(submit(R"([{"id":"a"},{"id":"b"}])").accepted, 2U);
    });
  }
  EXPECT_EQ(records(400).size(), 400U);
  for (auto& c : clients) c.join();
}

// Segments are deleted by whoever needs their room, while the poller reads.
TEST_F(HttpSourceTest, ManyClientsOfAJournalThatIsFullAllTheTime) {
  start(5000);
  const std::string body = R"({"id":"a","v":")" + std::string(1500, 'x') + "\"}";
  constexpr std::int64_t kClients = 4, kEach = 25;
  std::vector<std::thread> clients;
  for (int c = 0; c < kClients; ++c) {
    clients.emplace_back([&] {
      for (int i = 0; i < kEach; ++i) {
        IntakeResult r = submit(body);
        for (; r.status == 429; r = submit(body)) std::this_thread::yield();
        EXPECT_EQ(r.status, 200) << r.message;
      }
    });
  }
  RawBatch batch;
  std::int64_t next = 0;
  const Deadline deadline = Deadline::after(2 * kMinute);
  while (next < kClients * kEach && !deadline.passed()) {
    const auto got = source_->poll(Deadline::after(20 * kMillisecond), batch);
    ASSERT_TRUE(got.ok()) << got.error().message;
    if (!*got) continue;
    for (const RawRecord& r : batch.records) EXPECT_EQ(r.position, next++);
    source_->release(batch.partition, next);
  }
  EXPECT_EQ(next, kClients * kEach);
  for (auto& c : clients) c.join();
  EXPECT_EQ(telemetry_.series(Metric::kSourceGaps, {"s"}).value(), 0);
}

}  // namespace
}  // namespace driftd::ingest
