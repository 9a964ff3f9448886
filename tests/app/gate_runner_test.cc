#include "app/run/gate_runner.h"

#include <gtest/gtest.h>

#include <future>

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
  void disown() override {}
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
  for (const Deadline deadline = Deadline::after(kMinute); !deadline.passed();) {
    if (done()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return false;
}

TEST(GateRunner, FlushWaitsUntilAllIsForwarded) {
  FakeGate::State state;
  Telemetry telemetry;
  const auto runner = GateRunner::start(std::make_unique<FakeGate>(state), "s", 1000, telemetry);
  ASSERT_TRUE(soon([&] { return runner->trouble().empty(); })) << "connected";
  runner->assigned(1, 7);
  for (int i = 1; i <= 50; ++i) {
    runner->add(batch(10));
    ASSERT_TRUE(runner->flush().ok());
    ASSERT_EQ(state.forwarded, i);
  }
  EXPECT_EQ(state.assigned, 7);
  EXPECT_EQ(telemetry.series(Metric::kGateUp, {"s"}).value(), 1);
}

TEST(GateRunner, InTroubleItFillsUpSaysWhyAndGoesOn) {
  FakeGate::State state;
  state.open = false;
  Telemetry telemetry;
  const auto runner = GateRunner::start(std::make_unique<FakeGate>(state), "s", 2000, telemetry);
  ASSERT_TRUE(soon([&] { return runner->trouble() == "the broker is away"; }));
  EXPECT_FALSE(runner->full());
  runner->add(batch(900));
  EXPECT_FALSE(runner->full());
  runner->add(batch(900));
  EXPECT_TRUE(runner->full()) << "what a record costs beside its bytes counts too";
  const Status flushed = runner->flush();
  ASSERT_FALSE(flushed.ok());
  EXPECT_NE(flushed.error().message.find("the broker is away"), std::string::npos);
  EXPECT_TRUE(runner->full());
  EXPECT_EQ(telemetry.series(Metric::kGateUp, {"s"}).value(), 0);
  state.open = true;
  EXPECT_TRUE(soon([&] { return !runner->full() && runner->trouble().empty(); }));
  EXPECT_TRUE(runner->flush().ok());
  EXPECT_EQ(state.forwarded, 2);
}

TEST(GateRunner, TheSourceWaitsForRoom) {
  FakeGate::State state;
  state.open = false;
  Telemetry telemetry;
  const auto runner = GateRunner::start(std::make_unique<FakeGate>(state), "s", 1000, telemetry);
  EXPECT_TRUE(runner->room(0));
  runner->add(batch(1000));
  EXPECT_FALSE(runner->room(20 * kMillisecond));
  state.open = true;
  EXPECT_TRUE(runner->room(kMinute));
}

TEST(GateRunner, SettlingHoldsTheSourceUntilLittleWaits) {
  FakeGate::State state;
  state.at_once = 0;  // until all is there
  Telemetry telemetry;
  const auto runner = GateRunner::start(std::make_unique<FakeGate>(state), "s", 1U << 30, telemetry);
  ASSERT_TRUE(soon([&] { return runner->trouble().empty(); }));
  runner->settle(20 * kSecond);
  EXPECT_FALSE(runner->full()) << "nothing waits, so nobody is held up";
  for (int i = 0; i < 20; ++i) runner->add(batch(1U << 20));
  state.at_once = 1;
  runner->settle(20 * kSecond);
  EXPECT_GE(state.forwarded, 19);
  EXPECT_TRUE(runner->full()) << "until the checkpoint is done";
  EXPECT_FALSE(runner->room(0));
  runner->resume();
  EXPECT_TRUE(runner->room(0));
}

TEST(GateRunner, InTroubleItDoesNotSettle) {
  FakeGate::State state;
  state.open = false;
  Telemetry telemetry;
  const auto runner = GateRunner::start(std::make_unique<FakeGate>(state), "s", 1U << 30, telemetry);
  ASSERT_TRUE(soon([&] { return runner->trouble() == "the broker is away"; }));
  runner->add(batch(8U << 20));
  const Duration before = monotonic_now();
  runner->settle(20 * kSecond);
  EXPECT_LT(monotonic_now() - before, 15 * kSecond);
  EXPECT_FALSE(runner->full());
}

TEST(GateRunner, DroppingExpiresTheTransactionBeforeItReturns) {
  FakeGate::State state;
  state.open = false;
  Telemetry telemetry;
  const auto runner = GateRunner::start(std::make_unique<FakeGate>(state), "s", 1000, telemetry);
  runner->add(batch(500));
  runner->dropped({1, 2});
  EXPECT_EQ(state.expired, 1);
  EXPECT_TRUE(soon([&] { return state.dropped == 2; }));
  runner->stop();
  EXPECT_EQ(state.forwarded, 0);
}

struct GateOfNothing : ingest::Gate {
  void add(ingest::GateBatch) override {}
  void assigned(std::uint32_t, std::int64_t) override {}
  void dropped(const std::vector<std::uint32_t>&) override {}
  void expire() override {}
  void disown() override {}
  void work(bool) override {}
  Duration rest() const override { return kSecond; }
  bool idle() const override { return true; }
  bool connected() const override { return true; }
  std::size_t bytes() const override { return 0; }
  const std::string& trouble() const override { return why; }

  std::string why;
};

// As a client library does whose broker went away at the wrong moment.
struct HangingGate final : GateOfNothing {
  explicit HangingGate(std::shared_ptr<std::promise<void>> g) : gone(std::move(g)) {}
  ~HangingGate() override { gone->set_value(); }
  void disown() override { *disowned = true; }
  void work(bool) override {
    if (calls++ > 0) back.wait();
  }
  Duration rest() const override { return 0; }
  bool idle() const override { return false; }

  std::shared_ptr<std::promise<void>> gone;
  std::shared_ptr<std::atomic<bool>> disowned = std::make_shared<std::atomic<bool>>(false);
  std::shared_future<void> back;
  int calls = 0;
};

TEST(GateRunner, ACallThatHangsHoldsUpNeitherCheckpointsNorTheEnd) {
  Telemetry telemetry;
  std::promise<void> broker_is_back;
  const auto gone = std::make_shared<std::promise<void>>();
  auto gate = std::make_unique<HangingGate>(gone);
  gate->back = broker_is_back.get_future().share();
  const auto disowned = gate->disowned;
  auto runner = GateRunner::start(std::move(gate), "s", 1000, telemetry);
  const auto took = [](const auto& what) {
    const Duration before = monotonic_now();
    what();
    return monotonic_now() - before;
  };
  ASSERT_TRUE(soon([&] { return runner->trouble().empty(); })) << "connected";
  runner->add(batch(8U << 20));
  EXPECT_TRUE(soon([&] { return runner->settle(kSecond); })) << "found out by what is there to wait, too";
  EXPECT_FALSE(runner->trouble().empty());
  EXPECT_LT(took([&] { EXPECT_FALSE(runner->flush().ok()); }), 4 * kSecond) << "the next ones do not wait as long again";
  EXPECT_EQ(telemetry.series(Metric::kGateUp, {"s"}).value(), 0);
  EXPECT_FALSE(*disowned);
  EXPECT_LT(took([&] { runner->stop(); }), 20 * kSecond);
  EXPECT_TRUE(*disowned) << "metrics may be gone before it is";
  EXPECT_LT(took([&] { runner.reset(); }), 4 * kSecond);
  auto ended = gone->get_future();
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(0)), std::future_status::timeout) << "it keeps what the call needs";
  broker_is_back.set_value();
  EXPECT_EQ(ended.wait_for(std::chrono::seconds(60)), std::future_status::ready) << "and lets it go";
}

// As the client of a broker that is away, whose end waits for what it has asked.
struct LingeringGate final : GateOfNothing {
  ~LingeringGate() override { back.wait(); }
  std::shared_future<void> back;
};

TEST(GateRunner, AnEndThatHangsHoldsUpNothing) {
  Telemetry telemetry;
  std::promise<void> broker_is_back;
  auto gate = std::make_unique<LingeringGate>();
  gate->back = broker_is_back.get_future().share();
  auto runner = GateRunner::start(std::move(gate), "s", 1000, telemetry);
  ASSERT_TRUE(soon([&] { return runner->trouble().empty(); })) << "connected";
  const Duration before = monotonic_now();
  runner->stop();
  EXPECT_LT(monotonic_now() - before, 20 * kSecond);
  broker_is_back.set_value();
}

}  // namespace
}  // namespace driftd::app
