#include "app/run/finding_hub.h"

#include <sqlite3.h>

#include <chrono>

#include "core/log.h"

namespace driftd::app {
namespace {
constexpr std::size_t kRecentFindings = 5000;
}  // namespace

FindingHub::FindingHub(HubOptions options, alerts::AlertRules rules, Telemetry& telemetry, const Clock& clock)
    : options_(std::move(options)), telemetry_(telemetry), clock_(clock), ring_(kRecentFindings, static_cast<std::uint64_t>(clock.now())), book_(rules) {}

FindingHub::~FindingHub() { sqlite3_close(db_); }

Result<std::unique_ptr<FindingHub>> FindingHub::make(HubOptions options, const alerts::AlertsConfig& config, std::string_view state,
                                                     Telemetry& telemetry, const Clock& clock) {
  std::unique_ptr<FindingHub> hub(new FindingHub(std::move(options), config.rules, telemetry, clock));
  exporters::LogPosition position;
  if (!state.empty()) {
    ByteReader in(state);
    position.generation = in.u64();
    position.offset = in.u64();
    ByteReader book(in.view(1U << 30));
    if (const Status s = in.done("state of the alerts"); !s) return s.error();
    if (const Status s = hub->book_.load(book); !s) return s.error();
  }
  auto log = exporters::FindingsLog::open({.path = hub->options_.findings_log, .max_size = hub->options_.findings_max_size}, &telemetry);
  if (!log) return log.error();
  hub->log_ = std::move(*log);
  if (const Status s = hub->log_->truncate_to(position); !s) {
    if (s.error().code != ErrorCode::kCorrupt) return s.error();
    log::warning("the findings log was replaced or shortened by somebody else; it goes on from its end", {{"why", s.error().message}});
  }

  auto outbox = alerts::Outbox::open(hub->options_.outbox);
  if (!outbox) return outbox.error();
  hub->outbox_ = std::move(*outbox);
  if (sqlite3_open(hub->options_.outbox.c_str(), &hub->db_) != SQLITE_OK) {
    return Error{ErrorCode::kIo, hub->options_.outbox + ": " + sqlite3_errmsg(hub->db_)};
  }
  sqlite3_busy_timeout(hub->db_, 5000);
  auto receivers = alerts::make_receivers(config, {"", hub->options_.external_url, &telemetry, &clock});
  if (!receivers) return receivers.error();
  alerts::Router router = alerts::make_router(config, *receivers);
  hub->router_ = std::make_unique<alerts::Router>(router);
  hub->dispatcher_ = std::make_unique<alerts::Dispatcher>(*hub->outbox_, std::move(*receivers), std::move(router), clock, telemetry);
  hub->book_.publish(telemetry);
  return hub;
}

void FindingHub::take(ClosedWindow closed) {
  const std::scoped_lock lock(mutex_);
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
  std::vector<alerts::AlertEvent> events;
  book_.close(closed.stream, closed.end, events);
  if (events.empty()) return;
  tell(events);
}

void FindingHub::forget(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  std::vector<alerts::AlertEvent> events;
  book_.forget(stream, events);
  tell(events);
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
  wake_ = true;
  std::vector<alerts::Outgoing> messages = std::move(unsent_);
  unsent_.clear();
  for (alerts::Outgoing& message : router_->messages(events)) messages.push_back(std::move(message));
  if (!messages.empty()) {
    sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    const auto put = alerts::Outbox::put(db_, messages, clock_.now(), telemetry_);
    const bool ok = put.ok() && sqlite3_exec(db_, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK;
    if (!ok) {
      const std::string why = put.ok() ? sqlite3_errmsg(db_) : put.error().message;
      sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
      log::error("messages could not be put into the outbox; they are tried again with the next ones",
                 {{"messages", std::to_string(messages.size())}, {"why", why}});
      unsent_ = std::move(messages);
      if (unsent_.size() > alerts::Outbox::kMaxRows) {
        telemetry_.series(Metric::kOutboxDropped, {"full"}).add(static_cast<double>(unsent_.size() - alerts::Outbox::kMaxRows));
        unsent_.resize(alerts::Outbox::kMaxRows);
      }
    }
  }
  changed_.notify_all();
}

void FindingHub::save(ByteWriter& out) {
  const std::scoped_lock lock(mutex_);
  if (const Status s = log_->sync(); !s && trouble_.empty()) trouble_ = s.error().message;
  out.u64(log_->position().generation);
  out.u64(log_->position().offset);
  ByteWriter book;
  book_.save(book);
  out.str(book.bytes());
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
    wake_ = false;
    if (active_changed_) {
      active_changed_ = false;
      const auto firing = book_.firing();
      lock.unlock();
      dispatcher_->set_active(firing);
    } else {
      lock.unlock();
    }
    const Time next = dispatcher_->run_once();
    const Duration wait = std::max<Duration>(next - clock_.now(), 10 * kMillisecond);
    lock.lock();
    changed_.wait_for(lock, std::chrono::nanoseconds(wait), [this] { return stop_ || wake_; });
  }
}

void FindingHub::stop_dispatch() {
  {
    const std::scoped_lock lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
}

}  // namespace driftd::app
