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
  void set(Time t) { now_.store(t); }
  void advance(Duration d) { now_.fetch_add(d); }

 private:
  std::atomic<Time> now_;
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
