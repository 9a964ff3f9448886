#include "app/run/worker.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <memory>
#include <vector>

namespace driftd::app {
namespace {

Deadline soon() { return Deadline::after(60 * kSecond); }

// Holds a worker inside a task until it is let go.
class Gate {
 public:
  Worker::Task task() {
    return [this] {
      entered_.set_value();
      go_.get_future().wait();
    };
  }
  void wait_entered() { entered_.get_future().wait(); }
  void open() { go_.set_value(); }

 private:
  std::promise<void> entered_, go_;
};

TEST(Worker, RunsTasksInOrderOnOneThreadOfItsOwn) {
  std::vector<int> order;
  std::vector<std::thread::id> threads;
  {
    Worker worker(4);
    for (int i = 0; i < 100; ++i) {
      ASSERT_TRUE(worker.push(
          [&, i] {
            order.push_back(i);
            threads.push_back(std::this_thread::get_id());
          },
          soon()));
    }
    worker.drain();
    ASSERT_EQ(order.size(), 100U);
  }
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(order[static_cast<std::size_t>(i)], i);
    EXPECT_EQ(threads[static_cast<std::size_t>(i)], threads[0]);
  }
  EXPECT_NE(threads[0], std::this_thread::get_id());
}

TEST(Worker, OneTaskMoreThanItsCapacityIsRefusedAndNotTaken) {
  Gate gate;
  std::atomic<int> ran{0};
  Worker worker(2);
  ASSERT_TRUE(worker.push(gate.task(), soon()));
  gate.wait_entered();  // the running task takes no place in the queue
  const auto count = [&] { ++ran; };
  EXPECT_TRUE(worker.push(count, Deadline::after(0)));
  EXPECT_TRUE(worker.push(count, Deadline::after(0)));
  Worker::Task task = count;
  const Duration start = monotonic_now();
  EXPECT_FALSE(worker.push(std::move(task), Deadline::after(50 * kMillisecond)));
  EXPECT_GE(monotonic_now() - start, 50 * kMillisecond) << "waits until the deadline";
  ASSERT_TRUE(task) << "a task that was refused is still the caller's";
  gate.open();
  EXPECT_TRUE(worker.push(std::move(task), soon()));
  worker.drain();
  EXPECT_EQ(ran, 3);
}

TEST(Worker, DrainWaitsForTheRunningTaskToo) {
  Gate gate;
  std::atomic<bool> drained{false};
  Worker worker(2);
  ASSERT_TRUE(worker.push(gate.task(), soon()));
  gate.wait_entered();
  std::thread waiter([&] {
    worker.drain();
    drained = true;
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_FALSE(drained);
  gate.open();
  waiter.join();
  EXPECT_TRUE(drained);
  worker.drain();  // of an idle worker returns at once
}

TEST(Worker, EndsAfterWhatIsQueued) {
  std::atomic<int> ran{0};
  {
    Worker worker(8);
    for (int i = 0; i < 8; ++i) ASSERT_TRUE(worker.push([&] { ++ran; }, soon()));
  }
  EXPECT_EQ(ran, 8);
  { Worker idle(1); }
}

// What a task holds (a batch, a partition) must be free when drain() returns.
TEST(Worker, KeepsNothingOfATaskThatRan) {
  Worker worker(1);
  auto held = std::make_shared<int>(7);
  const std::weak_ptr<int> seen = held;
  ASSERT_TRUE(worker.push([held = std::move(held)] { EXPECT_EQ(*held, 7); }, soon()));
  worker.drain();
  EXPECT_TRUE(seen.expired());
}

}  // namespace
}  // namespace driftd::app
