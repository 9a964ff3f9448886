#include "app/run/worker.h"

#include <chrono>

namespace driftd::app {

Worker::Worker(std::size_t capacity) : capacity_(capacity), thread_([this] { run(); }) {}

Worker::~Worker() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  has_task_.notify_one();
  thread_.join();
}

bool Worker::push(Task&& task, Deadline deadline) {
  std::unique_lock lock(mutex_);
  const auto room = [this] { return queue_.size() < capacity_; };
  if (!has_room_.wait_for(lock, std::chrono::nanoseconds(deadline.left()), room)) return false;
  queue_.push_back(std::move(task));
  has_task_.notify_one();
  return true;
}

void Worker::drain() {
  std::unique_lock lock(mutex_);
  is_idle_.wait(lock, [this] { return queue_.empty() && !busy_; });
}

void Worker::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    has_task_.wait(lock, [this] { return stop_ || !queue_.empty(); });
    if (queue_.empty()) return;
    Task task = std::move(queue_.front());
    queue_.pop_front();
    busy_ = true;
    lock.unlock();
    has_room_.notify_one();
    task();
    task = nullptr;
    lock.lock();
    busy_ = false;
    if (queue_.empty()) is_idle_.notify_all();
  }
}

}  // namespace driftd::app
