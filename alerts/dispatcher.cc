#include "alerts/dispatcher.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "core/hash.h"
#include "core/log.h"

namespace driftd::alerts {
namespace {

constexpr std::size_t kPerRun = 16;  // messages of a receiver in one run
constexpr std::size_t kActivePerMessage = 200;
constexpr Duration kShortestPause = 5 * kSecond;
constexpr Duration kLongestPause = 5 * kMinute;
constexpr Duration kLongestBlock = kDay;  // a Retry-After above it is cut
constexpr Duration kLongestSleep = kMinute;
constexpr Duration kPruneEvery = kHour;

const char* result_name(Delivery::Result result) {
  switch (result) {
    case Delivery::Result::kDelivered:
      return "delivered";
    case Delivery::Result::kRetry:
      return "retry";
    case Delivery::Result::kRejected:
      return "rejected";
    case Delivery::Result::kGone:
      return "gone";
  }
  return "retry";
}

// What is told at once when it is new; all else can wait for the resend.
using Told = std::tuple<std::string, Time, Severity>;
Told told(const Alert& a) { return {a.fingerprint, a.starts_at, a.severity}; }

}  // namespace

Dispatcher::Dispatcher(Outbox& outbox, std::vector<Receiver> receivers, Router router, const Clock& clock, Telemetry& telemetry,
                       Duration timeout, StopFlag stop)
    : outbox_(outbox), router_(std::move(router)), clock_(clock), telemetry_(telemetry), timeout_(timeout), stop_(std::move(stop)) {
  for (Receiver& r : receivers) {
    const Takes takes = alerts::takes(*r.notifier);
    using R = Delivery::Result;
    for (const R result : {R::kDelivered, R::kRetry, R::kRejected, R::kGone}) {
      telemetry.series(Metric::kNotifications, {r.name, result_name(result)});
    }
    if (takes == Takes::kRetraining) {
      for (const char* result : {"sent", "cooldown", "rejected"}) {
        telemetry.series(Metric::kRetrainRequests, {r.name, result});
      }
    }
    lanes_.push_back({.receiver = std::move(r), .takes = takes, .unrecorded = {}, .active = {}, .ended = {}});
  }
  for (const char* reason : {"full", "rejected", "gone", "attempts"}) {
    telemetry.series(Metric::kOutboxDropped, {reason});
  }
}

void Dispatcher::set_active(const std::vector<ActiveAlert>& firing) {
  for (Lane& lane : lanes_) {
    if (lane.takes != Takes::kState) continue;
    if (!lane.ended) read_ended(lane);
    const auto over = [&](const Alert& a) { return lane.ended && lane.ended->count({a.fingerprint, a.starts_at}) != 0; };
    std::vector<Alert> active;
    for (const ActiveAlert& a : firing) {
      if (!over(a.alert) && router_.matches(lane.receiver.name, a.alert, a.scope)) active.push_back(a.alert);
    }
    std::set<Told> known;
    for (const Alert& a : lane.active) known.insert(told(a));
    for (const Alert& a : active) lane.changed = lane.changed || known.count(told(a)) == 0;
    lane.active = std::move(active);
  }
}

void Dispatcher::read_ended(Lane& lane) {
  const auto rows = outbox_.current(lane.receiver.name, 0, std::numeric_limits<Time>::max());
  if (!rows) return check(rows.error());
  lane.ended.emplace();
  for (const OutboxRow& row : *rows) {
    for (const Alert& a : row.message.alerts) lane.ended->emplace(a.fingerprint, a.starts_at);
  }
}

Time Dispatcher::run_once() {
  store_failed_ = outbox_damaged_ = false;
  notice_turned_clock();
  for (Lane& lane : lanes_) {
    if (is_set(stop_)) break;
    if (lane.gone) {
      end_all(lane);
    } else if (!blocked(lane) && settled(lane)) {
      lane.takes == Takes::kState ? run_state(lane) : run_messages(lane);
    }
  }
  const Time now = clock_.now();
  if (now >= prune_at_ || prune_at_ > now + kPruneEvery) {
    if (const Status s = outbox_.prune(now); !s) check(s.error());
    prune_at_ = now + kPruneEvery;
  }
  if (const auto pending = outbox_.pending(); pending) {
    telemetry_.series(Metric::kOutboxPending).set(static_cast<double>(*pending));
  } else {
    check(pending.error());
  }
  const bool refuses = std::any_of(lanes_.begin(), lanes_.end(), [](const Lane& lane) { return lane.unrecorded.has_value(); });
  if (store_told_ && !store_failed_ && !refuses) {
    log::info("outbox can be used again");
    store_told_ = false;
  }
  Time next = now + kLongestSleep;
  for (const Lane& lane : lanes_) next = std::min(next, wake_time(lane, next));
  return store_failed_ ? std::max(next, now + kShortestPause) : next;
}

// When the wall clock is turned back, also while driftd was away, what waits for a time would wait that
// much longer: it is tried now.
void Dispatcher::notice_turned_clock() {
  const Time now = clock_.now();
  if (newest_ == 0) {
    const auto newest = outbox_.newest();
    if (!newest) return check(newest.error());
    newest_ = *newest;
  }
  if (now < newest_ - kSecond) {
    log::warning("alerts: the clock was turned back; what waits for its next attempt is tried now",
                 {{"from", format_time(newest_)}, {"to", format_time(now)}});
    if (const Status s = outbox_.hurry(now); !s) return check(s.error());
    for (Lane& lane : lanes_) lane.blocked_until = lane.resend_at = 0;
  }
  newest_ = now;
}

bool Dispatcher::blocked(const Lane& lane) const {
  const Time now = clock_.now();
  // Longer than any pause: the clock was turned back.
  return lane.blocked_until > now && lane.blocked_until <= now + kLongestBlock;
}

Time Dispatcher::wake_time(const Lane& lane, Time latest) {
  if (lane.gone) return latest;
  Time at = latest;
  if (lane.unrecorded) {
    at = clock_.now();
  } else if (lane.takes == Takes::kState) {
    if (lane.changed) at = clock_.now();
    if (!lane.active.empty()) at = std::min(at, lane.resend_at);
  } else {
    const auto due = outbox_.next_due(lane.receiver.name);
    if (!due) check(due.error());
    if (due && *due) at = std::min(at, **due);
  }
  return blocked(lane) ? std::max(at, lane.blocked_until) : at;
}

void Dispatcher::run_messages(Lane& lane) {
  for (std::size_t left = kPerRun; left > 0;) {  // of each group one at a time is due
    const auto rows = outbox_.due(lane.receiver.name, clock_.now(), left);
    if (!rows) return check(rows.error());
    if (rows->empty()) return;
    for (const OutboxRow& row : *rows) {
      if (is_set(stop_) || !send_row(lane, row)) return;
    }
    left -= rows->size();
  }
}

// False: nothing more to this receiver for now.
bool Dispatcher::send_row(Lane& lane, const OutboxRow& row) {
  const bool retrain = lane.takes == Takes::kRetraining;
  if (retrain && in_cooldown(lane, row)) return true;
  const Delivery delivery = attempt(lane, row.message);
  using R = Delivery::Result;
  if (delivery.result == R::kRetry && is_set(stop_)) return false;
  if (retrain && delivery.result == R::kDelivered) {
    const Status s = outbox_.remember_sent(lane.receiver.name, row.message.group_key, clock_.now());
    if (!s) check(s.error());
    count_retrain(lane, "sent");
  }
  if (retrain && (delivery.result == R::kRejected || delivery.result == R::kGone)) {
    count_retrain(lane, "rejected");
  }
  return record(lane, row.message.id, delivery) && !lane.gone && !blocked(lane);
}

bool Dispatcher::in_cooldown(Lane& lane, const OutboxRow& row) {
  const Time now = clock_.now();
  const auto last = outbox_.last_sent(lane.receiver.name, row.message.group_key);
  if (!last) check(last.error());
  const Duration cooldown = *lane.receiver.notifier->retrain_cooldown();
  // A time in the future is as near as one in the past: the clock may have been turned back a
  // little.
  if (!last || !*last || std::abs(now - **last) >= cooldown) return false;
  const Status s = outbox_.finish(row.message.id, RowState::kCooldown, "within the cooldown of " + format_time(**last), now);
  if (!s) check(s.error());
  count_retrain(lane, "cooldown");
  return true;
}

// Calls the notifier, counts, and keeps the receiver's own state; the row's is record()'s.
Delivery Dispatcher::attempt(Lane& lane, const Message& message) {
  Delivery d = lane.receiver.notifier->send(message, Deadline::after(timeout_));
  if (d.result == Delivery::Result::kRetry && is_set(stop_)) return d;  // given up, whatever it was
  const std::string& name = lane.receiver.name;
  telemetry_.series(Metric::kNotifications, {name, result_name(d.result)}).add();
  switch (d.result) {
    case Delivery::Result::kDelivered:
      if (lane.failures > 0) log::info("notifier works again", {{"notifier", name}});
      lane.failures = 0;
      break;
    case Delivery::Result::kRetry:
      fail(lane, d.detail, d.after);
      break;
    case Delivery::Result::kRejected:
      log::warning("message refused", {{"notifier", name}, {"message", message.id}, {"answer", d.detail}});
      break;
    case Delivery::Result::kGone:
      lane.gone = true;
      log::error("notifier is gone; nothing more is sent to it until driftd starts again", {{"notifier", name}, {"answer", d.detail}});
  }
  return d;
}

void Dispatcher::fail(Lane& lane, const std::string& why, Duration at_least) {
  if (lane.failures == 0) {
    log::warning("notifier cannot be reached; trying again", {{"notifier", lane.receiver.name}, {"error", why}});
  }
  const unsigned doublings = std::min(lane.failures, 10U);
  const Duration pause = std::min(kShortestPause << doublings, kLongestPause);
  ++lane.failures;
  lane.blocked_until = clock_.now() + std::clamp(at_least, pause, kLongestBlock);
}

// Whether what the newest attempt came to is written down.
bool Dispatcher::settled(Lane& lane) {
  if (!lane.unrecorded) return true;
  const auto [id, delivery] = *lane.unrecorded;
  return record(lane, id, delivery);
}

void Dispatcher::take_over(Dispatcher& before) {
  for (Lane& old : before.lanes_) {
    for (Lane& lane : lanes_) {
      if (lane.receiver.name == old.receiver.name) lane.unrecorded = std::move(old.unrecorded);
    }
  }
}

// False when it could not be written down; that is tried again before anything else is sent to this receiver.
bool Dispatcher::record(Lane& lane, const std::string& id, const Delivery& delivery) {
  const auto state = outbox_.mark(id, delivery, clock_.now());
  if (!state) {
    check(state.error());
    lane.unrecorded = {id, delivery};
    lane.blocked_until = std::max(lane.blocked_until, clock_.now() + kShortestPause);
    return false;
  }
  lane.unrecorded.reset();
  if (*state == RowState::kRejected) count_dropped("rejected");
  if (*state == RowState::kGone) count_dropped("gone");
  if (*state == RowState::kDropped) {
    count_dropped("attempts");
    log::error("message given up after its last attempt", {{"notifier", lane.receiver.name}, {"message", id}});
  }
  return true;
}

// What waits for a receiver that is gone goes with it.
void Dispatcher::end_all(Lane& lane) {
  const Time now = clock_.now();
  const auto rows = outbox_.current(lane.receiver.name, now, now);
  if (!rows) return check(rows.error());
  for (const OutboxRow& row : *rows) {
    const Status s = outbox_.finish(row.message.id, RowState::kGone, "the receiver is gone", now);
    if (!s) return check(s.error());
    count_dropped("gone");
  }
}

void Dispatcher::run_state(Lane& lane) {
  const Time now = clock_.now();
  const bool resend = now >= lane.resend_at || lane.resend_at > now + lane.receiver.notifier->resend_every();
  auto rows = outbox_.current(lane.receiver.name, now - kTellEnded, now);
  if (!rows) return check(rows.error());
  // An end may be put after set_active() was told that its alert fires.
  std::set<std::pair<std::string, Time>> over;
  for (const OutboxRow& row : *rows) {
    for (const Alert& a : row.message.alerts) over.emplace(a.fingerprint, a.starts_at);
  }
  std::erase_if(lane.active, [&](const Alert& a) { return over.count({a.fingerprint, a.starts_at}) != 0; });
  std::set<std::string> firing;
  for (const Alert& a : lane.active) firing.insert(a.fingerprint);
  for (OutboxRow& row : *rows) {
    if (is_set(stop_)) return;
    if (row.state != RowState::kPending && !resend) continue;
    if (!send_ended(lane, std::move(row), firing)) return;
  }
  if ((lane.changed || resend) && !send_active(lane)) return;
  if (resend) lane.resend_at = now + lane.receiver.notifier->resend_every();
}

bool Dispatcher::send_active(Lane& lane) {
  const Time now = clock_.now();
  for (std::size_t from = 0; from < lane.active.size(); from += kActivePerMessage) {
    const std::size_t to = std::min(lane.active.size(), from + kActivePerMessage);
    Message message;
    message.id = hex64(hash64(lane.receiver.name + std::to_string(now), from));
    message.type = "alert.firing";
    message.created_at = now;
    message.alerts.assign(lane.active.begin() + static_cast<std::ptrdiff_t>(from), lane.active.begin() + static_cast<std::ptrdiff_t>(to));
    attempt(lane, message);
    if (lane.gone || blocked(lane) || is_set(stop_)) return false;
  }
  lane.changed = false;
  return true;
}

// An alert that is firing again must not be ended by the message about its earlier end.
bool Dispatcher::send_ended(Lane& lane, OutboxRow row, const std::set<std::string>& firing) {
  std::erase_if(row.message.alerts, [&](const Alert& a) { return firing.count(a.fingerprint) != 0; });
  const bool pending = row.state == RowState::kPending;
  if (row.message.alerts.empty()) {
    if (!pending) return true;
    const Status s = outbox_.finish(row.message.id, RowState::kDelivered, "firing again", clock_.now());
    if (!s) check(s.error());
    return s.ok();
  }
  const Delivery delivery = attempt(lane, row.message);
  // While the receiver cannot be reached the row just waits: the state is what is told in the end.
  if (delivery.result == Delivery::Result::kRetry) return false;
  if (pending && !record(lane, row.message.id, delivery)) return false;
  return !lane.gone;
}

void Dispatcher::count_retrain(const Lane& lane, const char* result) {
  telemetry_.series(Metric::kRetrainRequests, {lane.receiver.name, result}).add();
}

void Dispatcher::count_dropped(const char* reason) { telemetry_.series(Metric::kOutboxDropped, {reason}).add(); }

void Dispatcher::check(const Error& error) {
  if (!store_told_) log::error("outbox cannot be used", {{"error", error.message}});
  store_failed_ = store_told_ = true;
  if (error.code == ErrorCode::kCorrupt) outbox_damaged_ = true;
}

}  // namespace driftd::alerts
