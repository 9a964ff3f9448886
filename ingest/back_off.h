// BackOff: when to try again something that is away. Each failure doubles the wait, up to the longest; a wait is
// drawn at random between its half and the whole ("equal jitter", M. Brooker, Exponential Backoff And Jitter, AWS 2015):
// many clients of a server that comes back must not come back together, and none tries in a busy loop.
// Not thread-safe. Times are those of monotonic_now(), ns.
#pragma once

#include <cstdint>
#include <random>

#include "core/time.h"

namespace driftd::ingest {

class BackOff {
 public:
  // 0 < first <= longest. The same seed draws the same waits.
  BackOff(Duration first, Duration longest, std::uint64_t seed = std::random_device{}());

  // A try has failed: none is due until the next wait is over.
  void failed(Duration now);
  // The next failure waits as after the first again. Changes nothing about a wait that has begun.
  void succeeded() { failures_ = 0; }
  // How long until a try is due; 0: now.
  Duration left(Duration now) const { return now < next_try_ ? next_try_ - now : 0; }

 private:
  Duration first_, longest_;
  int failures_ = 0;
  Duration next_try_ = 0;
  std::mt19937_64 random_;
};

}  // namespace driftd::ingest
