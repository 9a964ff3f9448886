// SilenceClock: how long a partition has been silent, where only time counts in which it could have been heard.
//
// A thread that was held up (a disk, a full queue) has listened to nobody. A server that was away has let nobody speak, and
// whoever could not send meanwhile connects again, too, and then sends what has waited: silence begins anew when it is back.
//
// Times are of monotonic_now(). Thread-safety: none; the polling thread's.
#pragma once

#include <algorithm>
#include <utility>

#include "core/clock.h"

namespace driftd::app {

class SilenceClock {
 public:
  static constexpr Duration kHeldUp = kSecond;  // longer between two looks: nobody was listened to

  explicit SilenceClock(Duration now) : looked_at_(now) {}

  // Several times a second; `connected`: the server is there.
  void look(Duration now, bool connected) {
    const Duration unseen = now - std::exchange(looked_at_, now);
    if (unseen > kHeldUp) deaf_ += unseen;
    if (connected && !connected_) back_at_ = listened(now);
    connected_ = connected;
  }
  // When something was heard now: to be given to silent_for().
  Duration listened(Duration now) const { return now - deaf_; }
  Duration silent_for(Duration heard, Duration now) const { return listened(now) - std::max(heard, back_at_); }

 private:
  Duration looked_at_;
  Duration deaf_ = 0;     // all the time in which nobody was listened to
  Duration back_at_ = 0;  // when the server was back, by listened()
  bool connected_ = false;
};

}  // namespace driftd::app
