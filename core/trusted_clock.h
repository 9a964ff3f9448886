// TrustedClock: the wall clock, and how far it may be behind after it was set back.
//
// A wall clock that is set back was wrong before, or is wrong from now on, and only what happens next tells
// which. Against the monotonic clock it is seen that it was set, and by how much. Until the wall clock is again
// where it would be, there is doubt: for as long as it had run undisturbed before, at least 10 minutes and at most
// 7 days; then it is believed as it is. One that is set ahead is believed at once, and one that is set ahead and then to
// where it was before, too. By less than a second it is not set but corrected.
// Thread-safe. Cost: two readings of the system's clocks and a lock.
#pragma once

#include <functional>
#include <mutex>
#include <optional>

#include "core/clock.h"

namespace driftd {

class TrustedClock final : public Clock {
 public:
  static constexpr Duration kSet = kSecond;
  static constexpr Duration kShortestDoubt = 10 * kMinute;
  static constexpr Duration kLongestDoubt = 7 * kDay;
  static constexpr Duration kLongestAbsence = 31 * kDay;

  // `wall` outlives the clock; `elapsed` never goes back.
  explicit TrustedClock(const Clock& wall, std::function<Duration()> elapsed = monotonic_now);

  Time now() const override { return wall_.now(); }
  // To be called now and then, as it is seen here only that the clock was set.
  Reading read() const override;
  // The time as it is at least: now(), or as it ran before it was set back.
  Time latest() const;
  // An earlier process wrote down that it was `t`. When now() is before it, what passed in between is not known:
  // at most kLongestAbsence. There is doubt for kLongestDoubt then.
  void was(Time t);

 private:
  // Time that ran evenly: wall clock = elapsed + offset.
  struct Stretch {
    Duration offset = 0;
    Duration held = 0;   // before `since`
    Duration since = 0;  // of elapsed
    Duration age(Duration elapsed) const { return held + elapsed - since; }
  };
  struct Moment {
    Time wall = 0;
    Duration elapsed = 0;
    Duration offset() const { return wall - elapsed; }
  };
  Moment moment() const;
  Moment look() const;
  void believe(const Moment& at, Duration held) const;

  const Clock& wall_;
  const std::function<Duration()> elapsed_;
  mutable std::mutex mutex_;
  mutable Stretch line_;
  mutable std::optional<Stretch> before_;        // until the clock was set ahead
  mutable std::optional<Duration> doubt_until_;  // of elapsed; there is doubt while it is set
  mutable Duration absence_ = 0;                 // what may have passed besides
};

}  // namespace driftd
