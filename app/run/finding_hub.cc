#include "app/run/finding_hub.h"

#include <sqlite3.h>

#include <chrono>

#include "core/log.h"

namespace driftd::app {
namespace {
constexpr std::size_t kRecentFindings = 5000;
}  // namespace

FindingHub::FindingHub(HubOptions options, alerts::AlertRules rules, Telemetry& telemetry, const Clock& clock)
    : options_(std::move(options)), telemetry_(telemetry), clock_(clock), ring_(kRecentFindings), book_(rules) {}

FindingHub::~FindingHub() { sqlite3_close(db_); }

Result<std::unique_ptr<FindingHub>> FindingHub::make(HubOptions options, const alerts::AlertsConfig& config, std::string_view state,
                                                     Telemetry& telemetry, const Clock& clock) {
  std::unique_ptr<FindingHub> hub(new FindingHub(std::move(options), config.rules, telemetry, clock));
  exporters::LogPosition position;
  if (!state.empty()) {
    ByteReader in(state);
    position.rotations = in.u64();
    position.offset = in.u64();
    ByteReader book(in.view(1U << 30));
    if (const Status s = in.done("state of the alerts"); !s) return s.error();
    if (const Status s = hub->book_.load(book); !s) return s.error();
  }
  auto log = exporters::FindingsLog::open(hub->options_.findings_log, hub->options_.findings_max_size, position);
  if (!log) return log.error();
  hub->log_ = std::move(*log);

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
  std::string lines;
  std::string stream;
  for (const Finding& finding : closed.findings) {
    const std::size_t from = lines.size();
    append_json(lines, finding);
    ring_.add(finding, lines.substr(from));
    lines += '\n';
    if (finding.verdict != Verdict::kOk) book_.take(finding);
  }
  if (const Status s = log_->append(lines); !s) {
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
void FindingHub::tell(const std::vector<alerts::AlertEvent>& events) {
  book_.publish(telemetry_);
  active_changed_ = true;
  wake_ = true;
  const std::vector<alerts::Outgoing> messages = router_->messages(events);
  if (!messages.empty()) {
    sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr);
    const auto put = alerts::Outbox::put(db_, messages, clock_.now(), telemetry_);
    const bool ok = put.ok() && sqlite3_exec(db_, "COMMIT", nullptr, nullptr, nullptr) == SQLITE_OK;
    if (!ok) {
      const std::string why = put.ok() ? sqlite3_errmsg(db_) : put.error().message;
      sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
      log::error("messages could not be put into the outbox; they are lost unless the process starts again before the next checkpoint",
                 {{"messages", std::to_string(messages.size())}, {"why", why}});
      telemetry_.series(Metric::kOutboxDropped, {"store"}).add(static_cast<double>(messages.size()));
    }
  }
  changed_.notify_all();
}

void FindingHub::save(ByteWriter& out) {
  const std::scoped_lock lock(mutex_);
  if (const Status s = log_->sync(); !s && trouble_.empty()) trouble_ = s.error().message;
  out.u64(log_->position().rotations);
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
