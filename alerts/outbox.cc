#include "alerts/outbox.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <map>

#include "core/hash.h"
#include "core/log.h"
#include "core/sqlite_statement.h"
#include "core/text.h"

namespace driftd::alerts {
namespace {

// Standard Webhooks' schedule, with more attempts in the first quarter of an hour: a receiver that
// restarts is back within a minute, and an alert must not wait five for it.
constexpr std::array<Duration, 12> kWaits = {5 * kSecond, 15 * kSecond, kMinute,    5 * kMinute, 15 * kMinute, 30 * kMinute,
                                             2 * kHour,   5 * kHour,    10 * kHour, 14 * kHour,  20 * kHour,   24 * kHour};
constexpr Duration kLongestWait = 30 * kHour;  // above 24 h + 20 %
constexpr Duration kMaxRetryAfter = kDay;
constexpr std::size_t kMaxDetail = 300;

constexpr const char* kColumns =
    "SELECT id, receiver, type, group_key, body, created_at, attempts, next_attempt_at, state, "
    "detail "
    "FROM outbox ";

// Messages of one group go out in their order: "resolved" that overtakes its "firing", which waits for another
// attempt, would leave a receiver with an alert that never ends. Their order is that of putting, as times of a clock
// that may be turned back say nothing about it.
constexpr const char* kFirstOfGroup =
    " AND NOT EXISTS (SELECT 1 FROM outbox AS earlier WHERE earlier.receiver=outbox.receiver AND "
    "earlier.group_key=outbox.group_key AND earlier.state=0 AND earlier.seq<outbox.seq) ";

constexpr std::int64_t kLastNumber = std::int64_t{1} << 62;

constexpr const char* kPending = "SELECT COUNT(*) FROM outbox WHERE state=0";

int code(RowState state) { return static_cast<int>(state); }

Result<OutboxRow> read_row(Statement& s) {
  return row_of({.id = s.text(0),
                 .receiver = s.text(1),
                 .type = s.text(2),
                 .group_key = s.text(3),
                 .body = s.text(4),
                 .created_at = s.integer(5),
                 .attempts = s.integer(6),
                 .next_attempt_at = s.integer(7),
                 .state = s.integer(8),
                 .detail = s.text(9)});
}

Status set_finished(sqlite3* db, const std::string& id, RowState state, const std::string& detail, Time now) {
  Statement update(db, "UPDATE outbox SET state=?, detail=?, finished_at=? WHERE id=?");
  return update.bind(code(state)).bind(excerpt(detail, kMaxDetail)).bind(now).bind(id).run();
}

// A damaged row would stand in the way of those behind it for ever: it is dropped, and said.
Result<std::vector<OutboxRow>> read_rows(sqlite3* db, Statement& s, Time now) {
  std::vector<OutboxRow> rows;
  std::vector<std::string> damaged;
  for (;;) {
    const auto more = s.step();
    if (!more) return more.error();
    if (!*more) break;
    auto row = read_row(s);
    if (row) {
      rows.push_back(std::move(row).value());
    } else {
      log::error("dropping a damaged message", {{"error", row.error().message}});
      damaged.push_back(s.text(0));
    }
  }
  for (const std::string& id : damaged) {
    if (const Status done = set_finished(db, id, RowState::kDropped, "damaged", now); !done) {
      return done.error();
    }
  }
  return rows;
}

Result<std::size_t> count(sqlite3* db, const char* sql) {
  Statement s(db, sql);
  const auto row = s.step();
  if (!row) return row.error();
  return static_cast<std::size_t>(s.integer(0));
}

// Takes the oldest finished rows away until `room` more fit; returns how many do.
Result<std::size_t> make_room(sqlite3* db, std::size_t room, std::size_t max_rows) {
  const auto rows = count(db, "SELECT COUNT(*) FROM outbox");
  if (!rows) return rows.error();
  if (*rows + room <= max_rows) return room;
  Statement oldest(db,
                   "DELETE FROM outbox WHERE id IN (SELECT id FROM outbox WHERE state<>0 "
                   "ORDER BY finished_at LIMIT ?)");
  oldest.bind(static_cast<std::int64_t>(*rows + room - max_rows));
  if (const Status s = oldest.run(); !s) return s.error();
  const auto left = count(db, "SELECT COUNT(*) FROM outbox");
  if (!left) return left.error();
  return *left >= max_rows ? 0 : std::min(room, max_rows - *left);
}

// Who has the most pending rows gives its newest one for a message to `receiver`, unless that is itself. Returns who.
Result<std::string> make_longest_queue_pay(sqlite3* db, const std::string& receiver) {
  Statement most(db, "SELECT receiver FROM outbox WHERE state=0 GROUP BY receiver ORDER BY COUNT(*) DESC, receiver=? DESC LIMIT 1");
  const auto row = most.bind(receiver).step();
  if (!row) return row.error();
  std::string payer = *row ? most.text(0) : receiver;  // no row: there may be none at all
  most.reset();
  if (payer == receiver) return payer;
  Statement newest(db,
                   "DELETE FROM outbox WHERE id=(SELECT id FROM outbox WHERE state=0 AND receiver=? "
                   "ORDER BY seq DESC LIMIT 1)");
  if (const Status s = newest.bind(payer).run(); !s) return s.error();
  return payer;
}

// The order in which rows were put. A number that cannot be is a damaged row's; nothing is counted on from it.
Result<std::int64_t> newest_number(sqlite3* db) {
  Statement s(db, "SELECT COALESCE(MAX(seq), 0) FROM outbox WHERE seq BETWEEN 0 AND ?");
  const auto row = s.bind(kLastNumber).step();
  if (!row) return row.error();
  return s.integer(0);
}

constexpr std::string_view kNotifierGone = "there is no such notifier any more";

Result<bool> known(Statement& find, const std::string& id) {
  find.reset();
  find.bind(id);
  auto row = find.step();
  find.reset();  // else the transaction would stay open for reading
  return row;
}

}  // namespace

std::optional<Duration> retry_wait(const std::string& id, unsigned attempt) {
  if (attempt == 0 || attempt > kWaits.size()) return std::nullopt;
  const Duration wait = kWaits[attempt - 1];
  const auto jitter = static_cast<std::int64_t>(hash64(id, attempt) % 401) - 200;  // per mille
  return wait + wait / 1000 * jitter;
}

Result<std::size_t> Outbox::put(sqlite3* db, const std::vector<Outgoing>& messages, Time now, Telemetry& telemetry, std::size_t max_rows) {
  std::vector<const Outgoing*> fresh;
  // One that was dropped with its notifier was told to nobody: when that is back, it is to be sent.
  Statement find(db, ("SELECT 1 FROM outbox WHERE id=? AND NOT (detail='" + std::string(kNotifierGone) +
                      "' AND state=" + std::to_string(code(RowState::kDropped)) + ")")
                         .c_str());
  for (const Outgoing& m : messages) {
    const auto there = known(find, m.message.id);
    if (!there) return there.error();
    if (!*there) fresh.push_back(&m);
  }
  if (fresh.empty()) return 0;
  const auto room = make_room(db, fresh.size(), max_rows);
  if (!room) return room.error();
  auto newest = newest_number(db);
  if (!newest) return newest.error();
  std::size_t free = *room, added = 0;
  std::map<std::string, std::size_t> lost;  // by receiver
  Statement insert(db,
                   "INSERT OR REPLACE INTO outbox(id, receiver, type, group_key, body, created_at, attempts, next_attempt_at, state, "
                   "detail, finished_at, seq) VALUES(?,?,?,?,?,?,0,?,0,'',0,?)");
  for (const Outgoing* m : fresh) {
    if (free == 0) {
      const auto payer = make_longest_queue_pay(db, m->receiver);
      if (!payer) return payer.error();
      ++lost[*payer];
      if (*payer == m->receiver) continue;
    } else {
      --free;
    }
    insert.bind(m->message.id).bind(m->receiver).bind(m->message.type).bind(m->message.group_key);
    const std::string body = encode_body(m->message);
    insert.bind_blob(body).bind(now).bind(now).bind(++*newest);
    if (const Status s = insert.run(); !s) return s.error();
    insert.reset();
    ++added;
  }
  for (const auto& [receiver, n] : lost) {
    telemetry.series(Metric::kOutboxDropped, {"full"}).add(static_cast<double>(n));
    log::error("the outbox is full of undelivered messages; the notifier that has the most of them loses its newest ones",
               {{"notifier", receiver}, {"lost", std::to_string(n)}, {"rows", std::to_string(max_rows)}});
  }
  // At once: the dispatcher counts only at the end of a run, and a receiver that hangs delays that.
  const auto pending = count(db, kPending);
  if (!pending) return pending.error();
  telemetry.series(Metric::kOutboxPending).set(static_cast<double>(*pending));
  return added;
}

Result<std::size_t> Outbox::drop_others(sqlite3* db, const std::vector<std::string>& receivers, Time now) {
  std::string sql = "UPDATE outbox SET state=?, detail='" + std::string(kNotifierGone) +
                    "', finished_at=? "
                    "WHERE state=0 AND receiver NOT IN (";
  for (std::size_t i = 0; i < receivers.size(); ++i) sql += i == 0 ? "?" : ",?";
  Statement update(db, (sql + ")").c_str());
  update.bind(code(RowState::kDropped)).bind(now);
  for (const std::string& name : receivers) update.bind(name);
  if (const Status s = update.run(); !s) return s.error();
  return static_cast<std::size_t>(sqlite3_changes(db));
}

Result<std::vector<OutboxRow>> Outbox::due(const std::string& receiver, Time now, std::size_t limit) {
  const std::string sql = std::string(kColumns) +
                          "WHERE receiver=? AND state=0 AND (next_attempt_at<=? OR "
                          "next_attempt_at>?)" +
                          kFirstOfGroup + "ORDER BY seq LIMIT ?";
  Statement s(db_, sql.c_str());
  s.bind(receiver).bind(now).bind(now + kLongestWait).bind(static_cast<std::int64_t>(limit));
  return read_rows(db_, s, now);
}

Result<Time> Outbox::newest() {
  Statement s(db_, "SELECT COALESCE(MAX(created_at), 0) FROM outbox");
  const auto row = s.step();
  if (!row) return row.error();
  return std::max<Time>(s.integer(0), 0);  // a damaged row's may be anything; due() drops it
}

Status Outbox::hurry(Time now) {
  Statement s(db_, "UPDATE outbox SET next_attempt_at=? WHERE state=0 AND next_attempt_at>?");
  return s.bind(now).bind(now).run();
}

Result<std::vector<OutboxRow>> Outbox::current(const std::string& receiver, Time since, Time now) {
  const std::string sql = std::string(kColumns) +
                          "WHERE receiver=? AND (state=0 OR (state=1 AND finished_at>? AND "
                          "finished_at<=?)) ORDER BY seq";
  Statement s(db_, sql.c_str());
  s.bind(receiver).bind(since).bind(now);
  return read_rows(db_, s, now);
}

Result<std::optional<Time>> Outbox::next_due(const std::string& receiver) {
  const std::string sql = std::string("SELECT MIN(next_attempt_at), COUNT(*) FROM outbox WHERE receiver=? AND state=0") + kFirstOfGroup;
  Statement s(db_, sql.c_str());
  const auto row = s.bind(receiver).step();
  if (!row) return row.error();
  return s.integer(1) == 0 ? std::optional<Time>() : std::optional<Time>(std::max<Time>(s.integer(0), 0));
}

Result<std::size_t> Outbox::pending() { return count(db_, kPending); }

Result<RowState> Outbox::mark(const std::string& id, const Delivery& delivery, Time now) {
  RowState state = RowState::kPending;
  Time next = now;
  switch (delivery.result) {
    case Delivery::Result::kDelivered:
      state = RowState::kDelivered;
      break;
    case Delivery::Result::kRejected:
      state = RowState::kRejected;
      break;
    case Delivery::Result::kGone:
      state = RowState::kGone;
      break;
    case Delivery::Result::kRetry: {
      Statement tried(db_, "SELECT attempts FROM outbox WHERE id=?");
      const auto row = tried.bind(id).step();
      if (!row) return row.error();
      const auto wait = retry_wait(id, static_cast<unsigned>(tried.integer(0)) + 1);
      if (!wait) state = RowState::kDropped;
      next = now + std::max(wait.value_or(0), std::min(delivery.after, kMaxRetryAfter));
    }
  }
  Statement update(db_,
                   "UPDATE outbox SET attempts=attempts+1, state=?, next_attempt_at=?, detail=?, "
                   "finished_at=? WHERE id=?");
  update.bind(code(state)).bind(next).bind(excerpt(delivery.detail, kMaxDetail));
  update.bind(state == RowState::kPending ? 0 : now).bind(id);
  if (const Status s = update.run(); !s) return s.error();
  return state;
}

Status Outbox::finish(const std::string& id, RowState state, const std::string& detail, Time now) {
  return set_finished(db_, id, state, detail, now);
}

Result<std::optional<Time>> Outbox::last_sent(const std::string& receiver, const std::string& group_key) {
  Statement s(db_, "SELECT at FROM outbox_sent WHERE receiver=? AND group_key=?");
  const auto row = s.bind(receiver).bind(group_key).step();
  if (!row) return row.error();
  if (!*row || !is_stored_wall_time(s.integer(0))) return std::optional<Time>();  // a damaged one is none
  return std::optional<Time>(s.integer(0));
}

Status Outbox::remember_sent(const std::string& receiver, const std::string& group_key, Time now) {
  Statement s(db_, "INSERT OR REPLACE INTO outbox_sent VALUES(?,?,?)");
  return s.bind(receiver).bind(group_key).bind(now).run();
}

Status Outbox::prune(Time now) {
  Statement finished(db_, "DELETE FROM outbox WHERE state<>0 AND finished_at<?");
  if (const Status s = finished.bind(now - kKeepFinished).run(); !s) return s;
  Statement sent(db_, "DELETE FROM outbox_sent WHERE at<?");
  return sent.bind(now - kMaxCooldown).run();
}

Result<std::vector<OutboxRow>> Outbox::list(std::size_t limit, Time now) {
  const std::string sql = std::string(kColumns) + "ORDER BY seq DESC LIMIT ?";
  Statement s(db_, sql.c_str());
  s.bind(static_cast<std::int64_t>(limit));
  return read_rows(db_, s, now);
}

Status Outbox::replay(const std::string& id, Time now) {
  Statement s(db_,
              "UPDATE outbox SET state=0, attempts=0, next_attempt_at=?, detail='replayed', "
              "finished_at=0 WHERE id=?");
  if (const Status status = s.bind(now).bind(id).run(); !status) return status;
  if (sqlite3_changes(db_) == 0) return Error{ErrorCode::kNotFound, "outbox: no message " + id};
  return {};
}

Status Outbox::drop(const std::string& id, Time now) {
  if (const Status s = finish(id, RowState::kDropped, "dropped by hand", now); !s) return s;
  if (sqlite3_changes(db_) == 0) return Error{ErrorCode::kNotFound, "outbox: no message " + id};
  return {};
}

}  // namespace driftd::alerts
