// Clock: where wall-clock time comes from, so that tests can turn it by hand.
//
// Wall-clock time never enters a finding but through idle partitions (docs/ARCHITECTURE.md); it
// drives retries, resends, timeouts and "last updated" only.
#pragma once

#include <atomic>

#include "core/time.h"

namespace driftd {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Time now() const = 0;  // wall clock, UTC; may jump

  // How far the clock may be behind the right time, as it was set back: both 0 while nothing speaks against it.
  struct Behind {
    Duration least = 0;
    Duration most = 0;
  };
  struct Reading {
    Time now = 0;
    Behind behind;
  };
  virtual Reading read() const { return {now(), {}}; }
};

class SystemClock final : public Clock {
 public:
  Time now() const override;
};

// Stands still until told otherwise. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = 0) : now_(start) {}
  Time now() const override { return now_.load(); }
  Reading read() const override { return {now_.load(), {least_behind_.load(), most_behind_.load()}}; }
  void set(Time t) { now_.store(t); }
  void advance(Duration d) { now_.fetch_add(d); }
  void set_behind(Behind behind) {
    least_behind_.store(behind.least);
    most_behind_.store(behind.most);
  }

 private:
  std::atomic<Time> now_;
  std::atomic<Duration> least_behind_{0};
  std::atomic<Duration> most_behind_{0};
};

// Nanoseconds of a clock that never jumps, for deadlines and intervals inside one process.
Duration monotonic_now();

// A point on the monotonic clock until which a call may block.
struct Deadline {
  Duration at = 0;
  static Deadline after(Duration d) { return {monotonic_now() + d}; }
  Duration left() const {
    const Duration rest = at - monotonic_now();
    return rest > 0 ? rest : 0;
  }
  bool passed() const { return left() == 0; }
};

}  // namespace driftd
