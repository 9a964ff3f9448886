#include "app/run/checkpoint_store.h"

#include <sqlite3.h>

#include "core/hash.h"

namespace driftd::app {
namespace {

constexpr int kSchemaVersion = 1;

Error failed(sqlite3* db, const std::string& what) {
  const int code = sqlite3_errcode(db);
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return {damaged ? ErrorCode::kCorrupt : ErrorCode::kIo, "checkpoint store: " + what + ": " + sqlite3_errmsg(db)};
}

// A prepared statement; finalized when it goes.
class Statement {
 public:
  Statement(sqlite3* db, const char* sql) { sqlite3_prepare_v2(db, sql, -1, &statement_, nullptr); }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  bool ok() const { return statement_ != nullptr; }
  void text(int at, const std::string& v) { sqlite3_bind_text(statement_, at, v.data(), static_cast<int>(v.size()), SQLITE_TRANSIENT); }
  void blob(int at, const std::string& v) { sqlite3_bind_blob64(statement_, at, v.data(), v.size(), SQLITE_TRANSIENT); }
  void integer(int at, std::int64_t v) { sqlite3_bind_int64(statement_, at, v); }
  int step() { return sqlite3_step(statement_); }
  void reset() { sqlite3_reset(statement_); }
  std::int64_t integer_of(int column) { return sqlite3_column_int64(statement_, column); }
  std::string bytes_of(int column) {
    const void* data = sqlite3_column_blob(statement_, column);
    const int size = sqlite3_column_bytes(statement_, column);
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), static_cast<std::size_t>(size));
  }

 private:
  sqlite3_stmt* statement_ = nullptr;
};

Result<CheckpointUnit> read_unit(Statement& s) {
  CheckpointUnit unit;
  unit.stream = s.bytes_of(0);
  unit.partition = s.integer_of(1);
  unit.position = s.integer_of(2);
  unit.config_hash = s.bytes_of(3);
  unit.state = s.bytes_of(4);
  if (crc32c(unit.state) != static_cast<std::uint32_t>(s.integer_of(5))) {
    return Error{ErrorCode::kCorrupt, "checkpoint of stream " + unit.stream + ", partition " + std::to_string(unit.partition) +
                                          ": checksum does not match; its open windows cannot be restored"};
  }
  return unit;
}

}  // namespace

Result<std::unique_ptr<CheckpointStore>> CheckpointStore::open(const std::string& path) {
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) {
    Error error = failed(db, "cannot open " + path);
    sqlite3_close(db);
    return error;
  }
  std::unique_ptr<CheckpointStore> store(new CheckpointStore(db));
  sqlite3_busy_timeout(db, 5000);
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
                          "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
                          "CREATE TABLE IF NOT EXISTS unit(stream TEXT, partition INTEGER, position INTEGER, "
                          "config_hash TEXT, state BLOB, crc INTEGER, PRIMARY KEY(stream, partition))"}) {
    if (const Status s = store->execute(sql); !s) return s.error().at(path);
  }
  Statement version(db, "SELECT value FROM meta WHERE key='version'");
  if (version.ok() && version.step() == SQLITE_ROW) {
    if (version.integer_of(0) != kSchemaVersion) {
      return Error{ErrorCode::kInvalidArgument, path + ": written by another version of driftd (format " +
                                                    std::to_string(version.integer_of(0)) + ", this one reads " +
                                                    std::to_string(kSchemaVersion) + ")"};
    }
  } else if (const Status s = store->execute("INSERT INTO meta VALUES('version', 1)"); !s) {
    return s.error().at(path);
  }
  return store;
}

CheckpointStore::~CheckpointStore() { sqlite3_close(db_); }

Status CheckpointStore::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed(db_, sql);
  return {};
}

Result<std::uint64_t> CheckpointStore::put(const Checkpoint& checkpoint) {
  const std::scoped_lock lock(mutex_);
  if (const Status s = execute("BEGIN IMMEDIATE"); !s) return s.error();
  std::uint64_t bytes = checkpoint.hub.size();
  bool ok = true;
  {
    Statement unit(db_, "INSERT OR REPLACE INTO unit VALUES(?,?,?,?,?,?)");
    ok = unit.ok();
    for (const CheckpointUnit& u : checkpoint.units) {
      if (!ok) break;
      unit.text(1, u.stream);
      unit.integer(2, u.partition);
      unit.integer(3, u.position);
      unit.text(4, u.config_hash);
      unit.blob(5, u.state);
      unit.integer(6, crc32c(u.state));
      ok = unit.step() == SQLITE_DONE;
      unit.reset();
      bytes += u.state.size();
    }
    Statement meta(db_, "INSERT OR REPLACE INTO meta VALUES(?,?)");
    ok = ok && meta.ok();
    if (ok) {
      meta.text(1, "hub");
      meta.blob(2, checkpoint.hub);
      ok = meta.step() == SQLITE_DONE;
      meta.reset();
    }
    if (ok) {
      meta.text(1, "hub_crc");
      meta.integer(2, crc32c(checkpoint.hub));
      ok = meta.step() == SQLITE_DONE;
      meta.reset();
    }
    if (ok) {
      meta.text(1, "saved_at");
      meta.integer(2, checkpoint.at);
      ok = meta.step() == SQLITE_DONE;
    }
  }
  Error error = ok ? Error{} : failed(db_, "writing a checkpoint");
  if (ok) {
    if (const Status s = execute("COMMIT"); s) return bytes;
    error = failed(db_, "committing a checkpoint");
  }
  sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  return error;
}

Result<std::optional<CheckpointUnit>> CheckpointStore::unit(const std::string& stream, std::int64_t partition) {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "SELECT stream,partition,position,config_hash,state,crc FROM unit WHERE stream=? AND partition=?");
  if (!s.ok()) return failed(db_, "reading a checkpoint");
  s.text(1, stream);
  s.integer(2, partition);
  const int code = s.step();
  if (code == SQLITE_DONE) return std::optional<CheckpointUnit>();
  if (code != SQLITE_ROW) return failed(db_, "reading a checkpoint");
  auto unit = read_unit(s);
  if (!unit) return unit.error();
  return std::optional<CheckpointUnit>(std::move(*unit));
}

Result<std::vector<CheckpointUnit>> CheckpointStore::units() {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "SELECT stream,partition,position,config_hash,state,crc FROM unit ORDER BY stream, partition");
  if (!s.ok()) return failed(db_, "reading checkpoints");
  std::vector<CheckpointUnit> units;
  int code = 0;
  while ((code = s.step()) == SQLITE_ROW) {
    auto unit = read_unit(s);
    if (!unit) return unit.error();
    units.push_back(std::move(*unit));
  }
  if (code != SQLITE_DONE) return failed(db_, "reading checkpoints");
  return units;
}

Result<std::string> CheckpointStore::hub() {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "SELECT value, (SELECT value FROM meta WHERE key='hub_crc') FROM meta WHERE key='hub'");
  if (!s.ok()) return failed(db_, "reading a checkpoint");
  const int code = s.step();
  if (code == SQLITE_DONE) return std::string();
  if (code != SQLITE_ROW) return failed(db_, "reading a checkpoint");
  std::string hub = s.bytes_of(0);
  if (crc32c(hub) != static_cast<std::uint32_t>(s.integer_of(1))) {
    return Error{ErrorCode::kCorrupt, "checkpoint of the alerts: checksum does not match"};
  }
  return hub;
}

Result<Time> CheckpointStore::saved_at() {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "SELECT value FROM meta WHERE key='saved_at'");
  if (!s.ok()) return failed(db_, "reading a checkpoint");
  return s.step() == SQLITE_ROW ? Time{s.integer_of(0)} : Time{0};
}

Status CheckpointStore::remove(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "DELETE FROM unit WHERE stream=?");
  if (!s.ok()) return failed(db_, "removing a stream");
  s.text(1, stream);
  if (s.step() != SQLITE_DONE) return failed(db_, "removing a stream");
  return {};
}

}  // namespace driftd::app
