// GateRunner: the thread that drives a stream's gate, and the queue in front of it.
//
// Workers hand over what they judged and go on; how much waits is bounded by the poller, which reads
// nothing while full() (what workers have in their queues comes on top). Thread-safe.
//
// A call of the client library can hang for as long as the broker is away. Then the end does not wait for it: the thread keeps what it
// needs, and ends when the call does. `telemetry` must outlive it. What it may still commit is guarded as after a kill: whoever has the
// transactional.id next asks the server, after which this one can commit nothing.
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
  // `buffer`: bytes of records that may wait. Stops when it is let go.
  static std::shared_ptr<GateRunner> start(std::unique_ptr<ingest::Gate> gate, const std::string& stream, std::uint64_t buffer,
                                           Telemetry& telemetry);

  void add(ingest::GateBatch batch);
  void assigned(std::uint32_t partition, std::int64_t position);
  // Nothing of these partitions is committed after this returns, but for what the server decides already.
  void dropped(const std::vector<std::uint32_t>& partitions);

  // Keeps full() true until resume(), and waits until so little is left that flush() is quick; false: it is more after that time. Not at
  // all when that is so already, or the gate is in trouble.
  bool settle(Duration within);
  void resume();
  // Waits until everything that was added is committed; an Error says why it was not in time. At once
  // when the gate is in trouble already.
  Status flush();
  // Waits a little while it is full; false: it still is.
  bool room(Duration within);
  bool full() const { return settling_ || waiting_ >= buffer_; }
  // What keeps it from forwarding, for people; empty: nothing.
  std::string trouble();
  // What waits stays unforwarded. Waits for a call that hangs for some seconds only. Idempotent.
  void stop();

 private:
  GateRunner(std::unique_ptr<ingest::Gate> gate, const std::string& stream, std::uint64_t buffer, Telemetry& telemetry);

  struct Assigned {
    std::uint32_t partition;
    std::int64_t position;
  };
  using Message = std::variant<ingest::GateBatch, Assigned, std::vector<std::uint32_t>>;

  void post(Message message, std::size_t bytes);
  void run();
  void hand_over(std::vector<Message> messages);
  // Under mutex_.
  void publish();
  bool find_hanging();  // a call of the gate hangs, which was not known

  std::unique_ptr<ingest::Gate> gate_;
  std::string stream_;
  std::uint64_t buffer_;
  Series& up_;
  Series& bytes_;
  std::atomic<std::uint64_t> waiting_{0};
  std::atomic<bool> settling_{false};
  std::mutex mutex_;
  std::condition_variable wakes_, changed_;
  std::vector<Message> inbox_;
  std::uint64_t inbox_bytes_ = 0;
  std::uint64_t flushes_wanted_ = 0;  // calls of flush() that wait
  bool idle_ = true;
  bool stop_ = false, ended_ = false, left_ = false;
  Duration called_at_ = 0;  // the gate, which has not returned since; 0: it has
  std::string trouble_ = "connecting";
  std::thread thread_;
};

}  // namespace driftd::app
