// Dispatcher: takes due messages out of the outbox, hands them to the notifiers and writes down
// what came of it. For notifiers that want state instead of messages (resend_every() > 0) it also
// repeats what is firing, and for 5 minutes what is over.
//
// Each receiver stands alone: after a failed attempt nothing is sent to it for a while (5 s
// doubling to 5 min, or its Retry-After), a send may block for `timeout` at most, and a run sends
// at most 16 messages to each, so a receiver that hangs or fails delays the others by at most one
// timeout a pause. A receiver that answered 410 is not tried again until the process starts anew or reloads;
// its messages end as gone. Retrain requests within the cooldown of the one before end as cooldown,
// judged when they are about to be sent.
//
// With the stop flag set a run ends after the message it is at, which is given up unless it was
// delivered: its row stays as it was, no attempt is counted, the next dispatcher sends it under the same id.
//
// What an attempt came to is kept until the outbox takes it (its disk may be full); nothing more is sent to that
// receiver before, so that it does not get the same message again and again.
//
// What the outbox says was over when the dispatcher was made is not said to fire again: after a crash the alerts
// are those of the newest checkpoint, which may not know the end yet that receivers were told.
//
// Thread-safety: none; the app runs it on one thread and calls set_active and run_once from there.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "alerts/alert_config.h"
#include "alerts/outbox.h"
#include "alerts/router.h"
#include "core/clock.h"
#include "core/telemetry.h"

namespace driftd::alerts {

class Dispatcher {
 public:
  static constexpr Duration kDefaultTimeout = 15 * kSecond;
  static constexpr Duration kTellEnded = 5 * kMinute;

  // `outbox`, `clock` and `telemetry` outlive the dispatcher.
  Dispatcher(Outbox& outbox, std::vector<Receiver> receivers, Router router, const Clock& clock, Telemetry& telemetry,
             Duration timeout = kDefaultTimeout, StopFlag stop = nullptr);

  // Everything that is firing now; routed to those that want state. Sent at the next run when it
  // differs from what they were told.
  void set_active(const std::vector<ActiveAlert>& firing);

  // Sends what is due and returns the wall-clock time of the next thing to do, at most a minute
  // ahead. Call it earlier when something was put into the outbox or set_active was called.
  Time run_once();
  // What the newest attempts of the one before this came to and could not be written down; before the first run_once().
  void take_over(Dispatcher& before);
  // The newest run found the outbox damaged: nothing can be sent until the file is another one.
  bool outbox_damaged() const { return outbox_damaged_; }

 private:
  struct Lane {  // one receiver
    Receiver receiver;
    Takes takes;
    bool gone = false;
    unsigned failures = 0;  // in a row
    Time blocked_until = 0;
    std::optional<std::pair<std::string, Delivery>> unrecorded;  // a message's id and what its attempt came to
    std::vector<Alert> active;                                   // kState
    // kState: fingerprint and start of what was over before this dispatcher was made; nullopt: not read yet.
    std::optional<std::set<std::pair<std::string, Time>>> ended;
    bool changed = false;  // kState: active is not what was told
    Time resend_at = 0;    // kState
  };

  void notice_turned_clock();
  void run_messages(Lane& lane);
  void run_state(Lane& lane);
  void end_all(Lane& lane);
  void read_ended(Lane& lane);
  bool blocked(const Lane& lane) const;
  bool settled(Lane& lane);
  bool send_row(Lane& lane, const OutboxRow& row);
  bool send_active(Lane& lane);
  bool send_ended(Lane& lane, OutboxRow row, const std::set<std::string>& firing);
  bool in_cooldown(Lane& lane, const OutboxRow& row);
  Delivery attempt(Lane& lane, const Message& message);
  void count_retrain(const Lane& lane, const char* result);
  void count_dropped(const char* reason);
  bool record(Lane& lane, const std::string& id, const Delivery& delivery);
  void fail(Lane& lane, const std::string& why, Duration at_least);
  void check(const Error& error);
  Time wake_time(const Lane& lane, Time latest);

  Outbox& outbox_;
  Router router_;
  const Clock& clock_;
  Telemetry& telemetry_;
  Duration timeout_;
  StopFlag stop_;
  std::vector<Lane> lanes_;
  Time prune_at_ = 0;
  Time newest_ = 0;            // wall-clock time that was seen; 0: before the first run
  bool store_failed_ = false;  // in this run
  bool store_told_ = false;    // logged; once until it works again
  bool outbox_damaged_ = false;
};

}  // namespace driftd::alerts
