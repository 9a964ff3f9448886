#include "app/run/finding_hub.h"

#include <sqlite3.h>

#include <algorithm>
#include <chrono>

#include "core/log.h"
#include "core/sqlite_statement.h"
#include "exporters/findings_tail.h"

namespace driftd::app {
namespace {
constexpr std::size_t kRecentFindings = 5000;
constexpr std::chrono::milliseconds kAskCurrentEvery{100};

Status load_state(std::string_view state, exporters::LogPosition& position, alerts::AlertBook& book) {
  if (state.empty()) return {};
  ByteReader in(state);
  position.generation = in.u64();
  position.offset = in.u64();
  ByteReader alerts(in.view(1U << 30));
  if (const Status s = in.done("state of the alerts"); !s) return s;
  if (const Status s = book.load(alerts); !s) return s;
  return alerts.done("alerts");
}

}  // namespace

Status FindingHub::try_state(std::string_view state) {
  exporters::LogPosition position;
  alerts::AlertBook book{alerts::AlertRules{}};
  return load_state(state, position, book);
}

alerts::Judged judged_of(const StreamConfig& stream) {
  alerts::Judged judged;
  for (const Level& level : stream.windows.levels) judged.levels.push_back(level.by);
  for (const CheckConfig& check : stream.checks) {
    judged.checks.push_back({check.name, check.field < 0 ? "" : stream.schema.fields[static_cast<std::size_t>(check.field)].name});
  }
  return judged;
}

FindingHub::FindingHub(HubOptions options, alerts::AlertRules rules, Telemetry& telemetry, const Clock& clock)
    : options_(std::move(options)),
      telemetry_(telemetry),
      clock_(clock),
      ring_(kRecentFindings, static_cast<std::uint64_t>(clock.now())),
      book_(rules) {}

FindingHub::~FindingHub() { sqlite3_close(db_); }

Result<std::unique_ptr<FindingHub>> FindingHub::make(HubOptions options, const alerts::AlertsConfig& config,
                                                     std::optional<std::string_view> state, Telemetry& telemetry, const Clock& clock) {
  std::unique_ptr<FindingHub> hub(new FindingHub(std::move(options), config.rules, telemetry, clock));
  exporters::LogPosition position;
  if (const Status s = load_state(state.value_or(""), position, hub->book_); !s) return s.error();
  auto log = exporters::FindingsLog::open({.path = hub->options_.findings_log, .max_size = hub->options_.findings_max_size}, &telemetry);
  if (!log) return log.error();
  hub->log_ = std::move(*log);
  if (const Status s = state ? hub->log_->truncate_to(position) : Status(); !s) {
    if (s.error().code != ErrorCode::kCorrupt) return s.error();
    log::warning("the findings log was replaced or shortened by somebody else; it goes on from its end", {{"why", s.error().message}});
  }
  hub->ring_.append(exporters::newest_findings(hub->options_.findings_log, kRecentFindings));

  if (const Status s = hub->open_outbox(); !s) return s.error();
  auto setup = hub->prepare(config, hub->options_.external_url);
  if (!setup) return setup.error();
  hub->apply(std::move(*setup));
  hub->book_.publish(telemetry);
  return hub;
}

Result<AlertSetup> FindingHub::prepare(const alerts::AlertsConfig& config, const std::string& external_url) const {
  auto stop = std::make_shared<std::atomic<bool>>(false);
  auto receivers =
      alerts::make_receivers(config, {.name = "", .external_url = external_url, .telemetry = &telemetry_, .clock = &clock_, .stop = stop});
  if (!receivers) return receivers.error();
  alerts::Router router = alerts::make_router(config, *receivers);
  return AlertSetup{config.rules, std::move(router), std::move(*receivers), std::move(stop)};
}

void FindingHub::apply(AlertSetup setup) {
  const std::scoped_lock lock(mutex_);
  std::vector<alerts::AlertEvent> events;
  book_.set_rules(setup.rules, events);
  if (router_ == nullptr) router_ = std::make_unique<alerts::Router>(setup.router);  // at the start
  tell(events);                                                                      // by the routes by which receivers have heard of it
  auto introduced = setup.router.introduce(book_.firing(), *router_);
  router_ = std::make_unique<alerts::Router>(setup.router);
  send(std::move(introduced));
  drop_orphans(setup.router);
  if (stop_sending_ != nullptr) *stop_sending_ = true;
  stop_sending_ = setup.stop;
  next_ = std::make_unique<alerts::Dispatcher>(*outbox_, std::move(setup.receivers), std::move(setup.router), clock_, telemetry_,
                                               alerts::Dispatcher::kDefaultTimeout, std::move(setup.stop));
  wake_ = true;
  changed_.notify_all();
}

// Messages to receivers that the configuration does not have: nobody would ever send them.
// Precondition: mutex_ is held.
void FindingHub::drop_orphans(const alerts::Router& router) {
  std::size_t n = std::erase_if(unsent_, [&](const alerts::Outgoing& m) { return !router.knows(m.receiver); });
  const auto dropped = alerts::Outbox::drop_others(db_, router.receivers(), clock_.now());
  if (!dropped) log::error("messages to notifiers that are gone stay in the outbox", {{"why", dropped.error().message}});
  if (dropped) n += *dropped;
  if (n == 0) return;
  telemetry_.series(Metric::kOutboxDropped, {"removed"}).add(static_cast<double>(n));
  log::warning("messages to notifiers that are not configured any more are dropped", {{"messages", std::to_string(n)}});
}

void FindingHub::take(ClosedWindow closed) {
  const std::scoped_lock lock(mutex_);
  if (closed.end != kNoTime) {
    // A stream that was started anew from its checkpoint computes again what came after that, the same.
    Time& newest = newest_.try_emplace(closed.stream, kNoTime).first->second;
    if (newest != kNoTime && closed.end <= newest) return;
    newest = closed.end;
  }
  ring_.append(closed.findings);
  for (const Finding& finding : closed.findings) {
    if (finding.verdict != Verdict::kOk) book_.take(finding);
  }
  if (const Status s = append(closed.findings); !s) {
    if (trouble_.empty()) log::error("findings cannot be written; they are still judged, alerted and shown", {{"why", s.error().message}});
    trouble_ = s.error().message;
  } else if (!trouble_.empty()) {
    log::info("findings are written again");
    trouble_.clear();
  }
  if (closed.end == kNoTime) return;
  std::vector<alerts::AlertEvent> events;
  book_.close(closed.stream, closed.end, closed.judged, events);
  if (events.empty()) return book_.publish(telemetry_);  // what is pending may have changed
  tell(events);
}

void FindingHub::forget(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  std::vector<alerts::AlertEvent> events;
  book_.forget(stream, events);
  newest_.erase(stream);
  hashes_.erase(stream);
  alerts::AlertBook::unpublish(telemetry_, stream);
  tell(events);
}

void FindingHub::forget_others(const std::vector<std::string>& streams) {
  std::vector<std::string> known;
  {
    const std::scoped_lock lock(mutex_);
    known = book_.streams();
  }
  for (const std::string& name : known) {
    if (std::find(streams.begin(), streams.end(), name) == streams.end()) forget(name);
  }
}

void FindingHub::go_on(const StreamConfig& stream) {
  const std::scoped_lock lock(mutex_);
  newest_[stream.name] = book_.closed(stream.name);
  hashes_[stream.name] = stream.hash;
}

void FindingHub::configure(const StreamConfig& stream) {
  const std::scoped_lock lock(mutex_);
  std::string& hash = hashes_[stream.name];
  if (hash != stream.hash) newest_.erase(stream.name);  // its windows are others now
  hash = stream.hash;
  std::vector<alerts::AlertEvent> events;
  book_.configure(stream.name, judged_of(stream), events);
  tell(events);
}

std::string FindingHub::alerts_of(const std::string& stream) const {
  const std::scoped_lock lock(mutex_);
  ByteWriter out;
  book_.save_stream(stream, out);
  return out.take();
}

Status FindingHub::adopt(const StreamConfig& stream, std::string_view alerts) {
  {
    const std::scoped_lock lock(mutex_);
    book_.drop(stream.name);
    newest_.erase(stream.name);  // its windows go on where these alerts are
    ByteReader in(alerts);
    Status taken = alerts.empty() ? Status() : book_.load_stream(stream.name, in);
    if (taken) taken = in.done("alerts");
    if (!taken) {
      book_.drop(stream.name);
      return taken.error();
    }
  }
  configure(stream);
  return {};
}

void FindingHub::drop(const std::string& stream, bool others_told) {
  const std::scoped_lock lock(mutex_);
  book_.drop(stream);
  active_changed_ = true;
  if (!others_told) return;
  const Time now = clock_.now();
  const auto rows = outbox_->list(alerts::Outbox::kMaxRows, now);
  if (!rows) return log::error("ends of alerts that are over cannot be dropped from the outbox", {{"why", rows.error().message}});
  for (const alerts::OutboxRow& row : *rows) {
    const auto of_stream = [&](const Alert& alert) { return alert.stream == stream; };
    const bool pending = row.state == alerts::RowState::kPending, delivered = row.state == alerts::RowState::kDelivered;
    if (!(pending || delivered) || router_->takes_of(row.receiver) != alerts::Takes::kState ||
        std::none_of(row.message.alerts.begin(), row.message.alerts.end(), of_stream)) {
      continue;
    }
    // As if it had been told so long ago that it is not repeated.
    const Time at = pending ? now : now - alerts::Dispatcher::kTellEnded;
    const Status s =
        outbox_->finish(row.message.id, pending ? alerts::RowState::kDropped : row.state, "another driftd has told newer states", at);
    if (!s)
      log::error("the end of an alert that is over cannot be dropped from the outbox",
                 {{"id", row.message.id}, {"why", s.error().message}});
  }
}

// Precondition: mutex_ is held.
Status FindingHub::append(const std::vector<Finding>& findings) {
  if (const Status s = log_->append(findings); !s) return s;
  return log_->flush();
}

// Precondition: mutex_ is held.
void FindingHub::tell(const std::vector<alerts::AlertEvent>& events) {
  book_.publish(telemetry_);
  active_changed_ = true;
  send(router_->messages(events));
}

// Precondition: mutex_ is held.
void FindingHub::send(std::vector<alerts::Outgoing> fresh) {
  wake_ = true;
  std::vector<alerts::Outgoing> messages = std::move(unsent_);
  unsent_.clear();
  for (alerts::Outgoing& message : fresh) messages.push_back(std::move(message));
  if (!messages.empty()) {
    sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    const auto put = alerts::Outbox::put(db_, messages, clock_.now(), telemetry_);
    const Status done = put ? sqlite_execute(db_, "COMMIT") : Status(put.error());
    if (!done) {
      sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
      if (!put_fails_) {
        log::error("messages cannot be put into the outbox; they wait in memory, in their order, and no checkpoint is written meanwhile",
                   {{"messages", std::to_string(messages.size())}, {"why", done.error().message}});
      }
      put_fails_ = true;
      // The dispatching thread renews it: it has the other connection.
      if (done.error().code == ErrorCode::kCorrupt) outbox_damage_ = done.error().message;
      unsent_ = std::move(messages);
      if (unsent_.size() > alerts::Outbox::kMaxRows) {
        telemetry_.series(Metric::kOutboxDropped, {"full"}).add(static_cast<double>(unsent_.size() - alerts::Outbox::kMaxRows));
        unsent_.resize(alerts::Outbox::kMaxRows);
      }
    } else if (put_fails_) {
      log::info("messages are put into the outbox again");
      put_fails_ = false;
    }
  }
  changed_.notify_all();
}

Status FindingHub::save(ByteWriter& out) {
  const std::scoped_lock lock(mutex_);
  if (!unsent_.empty()) send({});
  if (!unsent_.empty()) return Error{ErrorCode::kIo, "messages to notifiers cannot be put into the outbox"};
  if (const Status s = in_log(log_->flush()); !s) return s;
  out.u64(log_->position().generation);
  out.u64(log_->position().offset);
  ByteWriter book;
  book_.save(book);
  out.str(book.bytes());
  return {};
}

Status FindingHub::sync() {
  const std::scoped_lock lock(mutex_);
  return in_log(log_->sync());
}

// Precondition: mutex_ is held.
Status FindingHub::in_log(Status done) {
  if (done) return done;
  if (trouble_.empty()) trouble_ = done.error().message;
  return done.error().at("findings that are in memory only");
}

Time FindingHub::judged_until(const std::string& stream) const {
  const std::scoped_lock lock(mutex_);
  const auto it = newest_.find(stream);
  return it == newest_.end() ? kNoTime : it->second;
}

std::vector<Alert> FindingHub::alerts() const {
  const std::scoped_lock lock(mutex_);
  return book_.alerts();
}

std::string FindingHub::trouble() const {
  const std::scoped_lock lock(mutex_);
  return trouble_;
}

void FindingHub::dispatch() {
  std::unique_lock lock(mutex_);
  while (!stop_) {
    if (options_.current != nullptr && !options_.current()) {
      changed_.wait_for(lock, kAskCurrentEvery, [this] { return stop_; });
      continue;
    }
    wake_ = false;
    if (next_ != nullptr) {
      if (dispatcher_ != nullptr) next_->take_over(*dispatcher_);
      dispatcher_ = std::move(next_);
      active_changed_ = true;
    }
    if (active_changed_) {
      active_changed_ = false;
      const auto firing = book_.firing();
      lock.unlock();
      dispatcher_->set_active(firing);
    } else {
      lock.unlock();
    }
    const Time next = dispatcher_->run_once();
    // Not for as long as the clock was set back in between.
    const Duration wait = std::clamp<Duration>(next - clock_.now(), 10 * kMillisecond, kMinute);
    lock.lock();
    if (dispatcher_->outbox_damaged() && outbox_damage_.empty()) outbox_damage_ = "found while sending";
    if (!outbox_damage_.empty()) mend_outbox();
    changed_.wait_for(lock, std::chrono::nanoseconds(wait), [this] { return stop_ || wake_; });
  }
}

void FindingHub::stop_dispatch() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
    *stop_sending_ = true;
  }
  changed_.notify_all();
}

}  // namespace driftd::app
