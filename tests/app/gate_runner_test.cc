#include "app/run/gate_runner.h"

#include <gtest/gtest.h>

namespace driftd::app {
namespace {

// Forwards when it may.
struct FakeGate final : ingest::Gate {
  struct State {
    std::atomic<bool> open{true};
    std::atomic<int> forwarded{0}, assigned{0}, dropped{0}, expired{0};
  };
  explicit FakeGate(State& s) : state(s) {}
  void add(ingest::GateBatch batch) override { waiting.push_back(std::move(batch)); }
  void assigned(std::uint32_t, std::int64_t position) override { state.assigned = static_cast<int>(position); }
  void dropped(const std::vector<std::uint32_t>& partitions) override {
    state.dropped += static_cast<int>(partitions.size());
    waiting.clear();
  }
  void expire() override { ++state.expired; }
  void work(bool) override {
    why = state.open ? "" : "the broker is away";
    if (!state.open) return;
    state.forwarded += static_cast<int>(waiting.size());
    waiting.clear();
  }
  Duration rest() const override { return 5 * kMillisecond; }
  bool idle() const override { return waiting.empty(); }
  bool connected() const override { return true; }
  std::size_t bytes() const override {
    std::size_t sum = 0;
    for (const auto& batch : waiting) sum += batch.bytes();
    return sum;
  }
  const std::string& trouble() const override { return why; }

  State& state;
  std::vector<ingest::GateBatch> waiting;
  std::string why;
};

ingest::GateBatch batch(std::size_t bytes) {
  auto raw = std::make_shared<RawBatch>();
  raw->arena.assign(bytes, 'x');
  RawRecord record;
  record.payload = raw->arena;
  raw->records.push_back(record);
  return {std::move(raw), {}, {}};
}

template <class Done>
bool soon(const Done& done) {
  for (const Deadline deadline = Deadline::after(10 * kSecond); !deadline.passed();) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

TEST(GateRunner, FlushWaitsUntilAllIsForwarded) {
  FakeGate::State state;
  Telemetry telemetry;
  GateRunner runner(std::make_unique<FakeGate>(state), "s", 1000, telemetry);
  runner.assigned(1, 7);
  for (int i = 1; i <= 50; ++i) {
    runner.add(batch(10));
    ASSERT_TRUE(runner.flush().ok());
    ASSERT_EQ(state.forwarded, i);
  }
  EXPECT_EQ(state.assigned, 7);
  EXPECT_EQ(telemetry.series(Metric::kGateUp, {"s"}).value(), 1);
}

TEST(GateRunner, InTroubleItFillsUpSaysWhyAndGoesOn) {
  FakeGate::State state;
  state.open = false;
  Telemetry telemetry;
  GateRunner runner(std::make_unique<FakeGate>(state), "s", 1000, telemetry);
  ASSERT_TRUE(soon([&] { return runner.trouble() == "the broker is away"; }));
  EXPECT_FALSE(runner.full());
  runner.add(batch(500));
  EXPECT_FALSE(runner.full());
  runner.add(batch(500));
  EXPECT_TRUE(runner.full()) << "what a record costs beside its bytes counts too";
  const Status flushed = runner.flush();
  ASSERT_FALSE(flushed.ok());
  EXPECT_NE(flushed.error().message.find("the broker is away"), std::string::npos);
  EXPECT_TRUE(runner.full());
  EXPECT_EQ(telemetry.series(Metric::kGateUp, {"s"}).value(), 0);
  state.open = true;
  EXPECT_TRUE(soon([&] { return !runner.full() && runner.trouble().empty(); }));
  EXPECT_TRUE(runner.flush().ok());
  EXPECT_EQ(state.forwarded, 2);
}

TEST(GateRunner, DroppingExpiresTheTransactionBeforeItReturns) {
  FakeGate::State state;
  state.open = false;
  Telemetry telemetry;
  GateRunner runner(std::make_unique<FakeGate>(state), "s", 1000, telemetry);
  runner.add(batch(500));
  runner.dropped({1, 2});
  EXPECT_EQ(state.expired, 1);
  EXPECT_TRUE(soon([&] { return state.dropped == 2; }));
  runner.stop();
  EXPECT_EQ(state.forwarded, 0);
}

}  // namespace
}  // namespace driftd::app
