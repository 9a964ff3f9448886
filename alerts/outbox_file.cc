// The file of an Outbox: its tables, its connection, whether it is sound.
#include <sqlite3.h>

#include "alerts/outbox.h"
#include "core/sqlite_statement.h"

namespace driftd::alerts {
namespace {

// Of the tables and of what a row's body is (docs/FORMATS.md). Files of before it was written have 0 and are the same.
constexpr std::int64_t kFormat = 1;

Status check_format(sqlite3* db) {
  Statement version(db, "PRAGMA user_version");
  const auto row = version.step();
  if (!row) return row.error();
  const std::int64_t format = version.integer(0);
  if (format == kFormat) return {};
  if (format > kFormat) {
    return Error{ErrorCode::kInvalidArgument, "written by a newer version of driftd (format " + std::to_string(format) +
                                                  ", this one reads " + std::to_string(kFormat) +
                                                  "); start that version, or move the file away, with what it has not delivered"};
  }
  version.reset();
  return sqlite_execute(db, ("PRAGMA user_version=" + std::to_string(kFormat)).c_str());
}

}  // namespace

Status Outbox::create_tables(sqlite3* db) {
  for (const char* sql : {"CREATE TABLE IF NOT EXISTS outbox(id TEXT PRIMARY KEY, receiver TEXT NOT NULL, type TEXT NOT NULL, "
                          "group_key TEXT NOT NULL, body BLOB NOT NULL, created_at INTEGER NOT NULL, attempts INTEGER NOT NULL, "
                          "next_attempt_at INTEGER NOT NULL, state INTEGER NOT NULL, detail TEXT NOT NULL, "
                          "finished_at INTEGER NOT NULL) WITHOUT ROWID",
                          "CREATE INDEX IF NOT EXISTS outbox_due ON outbox(receiver, state, next_attempt_at)",
                          "CREATE INDEX IF NOT EXISTS outbox_group ON outbox(receiver, group_key, state)",
                          "CREATE INDEX IF NOT EXISTS outbox_finished ON outbox(state, finished_at)",
                          "CREATE TABLE IF NOT EXISTS outbox_sent(receiver TEXT, group_key TEXT, at INTEGER NOT NULL, "
                          "PRIMARY KEY(receiver, group_key)) WITHOUT ROWID"}) {
    if (const Status s = sqlite_execute(db, sql); !s) return s;
  }
  return {};
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
  if (const Status s = check_format(db_); !s) return s.error().at(path_);
  if (const Status s = create_tables(db_); !s) return s.error().at(path_);
  return {};
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
