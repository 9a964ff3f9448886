#include "app/run/gate_runner.h"

#include <gtest/gtest.h>

namespace driftd::app {
namespace {

// Forwards when it may.
struct FakeGate final : ingest::Gate {
  struct State {
    std::atomic<bool> open{true};
    std::atomic<std::size_t> at_once{1000};  // batches that one transaction takes
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
    const std::size_t n = std::min<std::size_t>(waiting.size(), state.at_once);
    state.forwarded += static_cast<int>(n);
    waiting.erase(waiting.begin(), waiting.begin() + static_cast<std::ptrdiff_t>(n));
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
  GateRunner runner(std::make_unique<FakeGate>(state), "s", 2000, telemetry);
  ASSERT_TRUE(soon([&] { return runner.trouble() == "the broker is away"; }));
  EXPECT_FALSE(runner.full());
  runner.add(batch(900));
  EXPECT_FALSE(runner.full());
  runner.add(batch(900));
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

TEST(GateRunner, TheSourceWaitsForRoom) {
  FakeGate::State state;
  state.open = false;
  Telemetry telemetry;
  GateRunner runner(std::make_unique<FakeGate>(state), "s", 1000, telemetry);
  EXPECT_TRUE(runner.room(0));
  runner.add(batch(1000));
  EXPECT_FALSE(runner.room(20 * kMillisecond));
  state.open = true;
  EXPECT_TRUE(runner.room(10 * kSecond));
}

TEST(GateRunner, SettlingHoldsTheSourceUntilLittleWaits) {
  FakeGate::State state;
  state.at_once = 0;  // until all is there
  Telemetry telemetry;
  GateRunner runner(std::make_unique<FakeGate>(state), "s", 1U << 30, telemetry);
  ASSERT_TRUE(soon([&] { return runner.trouble().empty(); }));
  runner.settle();
  EXPECT_FALSE(runner.full()) << "nothing waits, so nobody is held up";
  for (int i = 0; i < 20; ++i) runner.add(batch(1U << 20));
  state.at_once = 1;
  runner.settle();
  EXPECT_GE(state.forwarded, 19);
  EXPECT_TRUE(runner.full()) << "until the checkpoint is done";
  EXPECT_FALSE(runner.room(0));
  runner.resume();
  EXPECT_TRUE(runner.room(0));
}

TEST(GateRunner, InTroubleItDoesNotSettle) {
  FakeGate::State state;
  state.open = false;
  Telemetry telemetry;
  GateRunner runner(std::make_unique<FakeGate>(state), "s", 1U << 30, telemetry);
  ASSERT_TRUE(soon([&] { return runner.trouble() == "the broker is away"; }));
  runner.add(batch(8U << 20));
  const Duration before = monotonic_now();
  runner.settle();
  EXPECT_LT(monotonic_now() - before, 5 * kSecond);
  EXPECT_FALSE(runner.full());
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
