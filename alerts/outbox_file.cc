// The file of an Outbox: its tables, its connection, whether it is sound.
#include <sqlite3.h>

#include <initializer_list>

#include "alerts/outbox.h"
#include "core/sqlite_statement.h"

namespace driftd::alerts {
namespace {

// Of the tables and of what a row's body is (docs/FORMATS.md). Files of before it was written have 0 and are as of 1.
constexpr std::int64_t kFormat = 2;

Result<std::int64_t> read_format(sqlite3* db) {
  Statement version(db, "PRAGMA user_version");
  const auto row = version.step();
  if (!row) return row.error();
  const std::int64_t format = version.integer(0);
  if (format > kFormat) {
    return Error{ErrorCode::kInvalidArgument, "written by a newer version of driftd (format " + std::to_string(format) +
                                                  ", this one reads " + std::to_string(kFormat) +
                                                  "); start that version, or move the file away, with what it has not delivered"};
  }
  return format;
}

Status run_all(sqlite3* db, std::initializer_list<const char*> statements) {
  for (const char* sql : statements) {
    if (const Status s = sqlite_execute(db, sql); !s) return s;
  }
  return {};
}

// Format 1 had no `seq`: its rows had the order of their times, in which of several of one time an end comes last.
Status number_rows(sqlite3* db) {
  Statement column(db, "SELECT 1 FROM pragma_table_info('outbox') WHERE name='seq'");
  const auto there = column.step();
  if (!there) return there.error();
  column.reset();
  if (*there) return {};
  return run_all(db,
                 {"ALTER TABLE outbox ADD COLUMN seq INTEGER NOT NULL DEFAULT 0",
                  "UPDATE outbox SET seq=numbered.n FROM (SELECT id, ROW_NUMBER() OVER (ORDER BY created_at, type='alert.resolved', id) "
                  "AS n FROM outbox) AS numbered WHERE numbered.id=outbox.id"});
}

// All or nothing: a driftd that knows this format only must not take half of it for its own.
Status bring_up_to_date(sqlite3* db) {
  if (const Status s = sqlite_execute(db, "BEGIN IMMEDIATE"); !s) return s;
  Status done = Outbox::create_tables(db);
  if (done) done = sqlite_execute(db, ("PRAGMA user_version=" + std::to_string(kFormat)).c_str());
  if (done) done = sqlite_execute(db, "COMMIT");
  if (!done) sqlite3_exec(db, "ROLLBACK", nullptr, nullptr, nullptr);
  return done;
}

}  // namespace

Status Outbox::create_tables(sqlite3* db) {
  const Status made = run_all(db, {"CREATE TABLE IF NOT EXISTS outbox(id TEXT PRIMARY KEY, receiver TEXT NOT NULL, type TEXT NOT NULL, "
                                   "group_key TEXT NOT NULL, body BLOB NOT NULL, created_at INTEGER NOT NULL, attempts INTEGER NOT NULL, "
                                   "next_attempt_at INTEGER NOT NULL, state INTEGER NOT NULL, detail TEXT NOT NULL, "
                                   "finished_at INTEGER NOT NULL, seq INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID",
                                   "CREATE INDEX IF NOT EXISTS outbox_due ON outbox(receiver, state, next_attempt_at)",
                                   "CREATE INDEX IF NOT EXISTS outbox_group ON outbox(receiver, group_key, state)",
                                   "CREATE INDEX IF NOT EXISTS outbox_finished ON outbox(state, finished_at)",
                                   "CREATE TABLE IF NOT EXISTS outbox_sent(receiver TEXT, group_key TEXT, at INTEGER NOT NULL, "
                                   "PRIMARY KEY(receiver, group_key)) WITHOUT ROWID"});
  if (!made) return made;
  if (const Status s = number_rows(db); !s) return s;
  return sqlite_execute(db, "CREATE INDEX IF NOT EXISTS outbox_order ON outbox(seq)");
}

Result<std::unique_ptr<Outbox>> Outbox::open(const std::string& path) {
  std::unique_ptr<Outbox> outbox(new Outbox(path));
  if (const Status s = outbox->connect(); !s) return s.error();
  return outbox;
}

Status Outbox::connect() {
  close();
  if (sqlite3_open(path_.c_str(), &db_) != SQLITE_OK) {
    const Error error = sqlite_error(db_, "cannot open " + path_);
    close();
    return error;
  }
  sqlite3_busy_timeout(db_, 5000);
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL"}) {
    if (const Status s = sqlite_execute(db_, sql); !s) return s.error().at(path_);
  }
  const auto format = read_format(db_);
  if (!format) return format.error().at(path_);
  const Status ready = *format == kFormat ? create_tables(db_) : bring_up_to_date(db_);
  return ready ? Status() : Status(ready.error().at(path_));
}

void Outbox::close() {
  sqlite3_close(db_);
  db_ = nullptr;
}

Outbox::~Outbox() { close(); }

Status Outbox::check() {
  Statement s(db_, "PRAGMA quick_check(1)");
  const auto row = s.step();
  if (!row) return row.error().at(path_);
  const std::string said = *row ? s.text(0) : "no answer";
  return said == "ok" ? Status() : Status(Error{ErrorCode::kCorrupt, path_ + ": " + said});
}

}  // namespace driftd::alerts
