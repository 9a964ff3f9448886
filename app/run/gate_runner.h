// GateRunner: the thread that drives a stream's gate, and the queue in front of it.
//
// Workers hand over what they judged and go on; how much waits is bounded by the poller, which reads
// nothing while full() (what workers have in their queues comes on top). Thread-safe.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <variant>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "core/telemetry.h"
#include "ingest/gate.h"

namespace driftd::app {

class GateRunner {
 public:
  // `buffer`: bytes of records that may wait.
  GateRunner(std::unique_ptr<ingest::Gate> gate, std::string stream, std::uint64_t buffer, Telemetry& telemetry);
  ~GateRunner() { stop(); }

  void add(ingest::GateBatch batch);
  void assigned(std::uint32_t partition, std::int64_t position);
  // Nothing of these partitions is committed after this returns, but for what the server decides already.
  void dropped(const std::vector<std::uint32_t>& partitions);

  // Keeps full() true until resume(), and waits until so little is left that flush() is quick, but not for
  // long. Not at all when that is so already, or the gate is in trouble.
  void settle();
  void resume();
  // Waits until everything that was added is committed; an Error says why it was not in time. At once
  // when the gate is in trouble already.
  Status flush();
  // Waits a little while it is full; false: it still is.
  bool room(Duration within);
  bool full() const { return settling_ || waiting_ >= buffer_; }
  // What keeps it from forwarding, for people; empty: nothing.
  std::string trouble() const;
  void stop();  // what waits stays unforwarded; idempotent

 private:
  struct Assigned {
    std::uint32_t partition;
    std::int64_t position;
  };
  using Message = std::variant<ingest::GateBatch, Assigned, std::vector<std::uint32_t>>;

  void post(Message message, std::size_t bytes);
  void run();
  void hand_over(std::vector<Message> messages);
  void publish();  // under mutex_

  std::unique_ptr<ingest::Gate> gate_;
  std::uint64_t buffer_;
  Series& up_;
  Series& bytes_;
  std::atomic<std::uint64_t> waiting_{0};
  std::atomic<bool> settling_{false};
  mutable std::mutex mutex_;
  std::condition_variable wakes_, changed_;
  std::vector<Message> inbox_;
  std::uint64_t inbox_bytes_ = 0;
  std::uint64_t flushes_wanted_ = 0;  // calls of flush() that wait
  bool idle_ = true;
  bool stop_ = false;
  std::string trouble_ = "connecting";
  std::thread thread_;
};

}  // namespace driftd::app
