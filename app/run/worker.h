// Worker: one thread that runs the tasks of the partitions it owns, in order.
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/clock.h"

namespace driftd::app {

class Worker {
 public:
  using Task = std::function<void()>;

  // `capacity` tasks wait at most; one more is refused.
  explicit Worker(std::size_t capacity);
  ~Worker();  // runs what is queued, then joins

  // False when the queue was still full at the deadline; the task is then not taken.
  bool push(Task&& task, Deadline deadline);
  // Blocks until nothing is queued or running.
  void drain();

 private:
  void run();

  std::size_t capacity_;
  std::mutex mutex_;
  std::condition_variable has_task_, has_room_, is_idle_;
  std::deque<Task> queue_;
  bool busy_ = false;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace driftd::app
