#include "app/run/checkpoint_store.h"

#include <sqlite3.h>

#include "core/bytes.h"
#include "core/hash.h"
#include "core/sqlite_statement.h"

namespace driftd::app {
namespace {

constexpr int kSchemaVersion = 2;

Error failed(sqlite3* db, const std::string& what) {
  const int code = sqlite3_errcode(db);
  const bool damaged = code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return {damaged ? ErrorCode::kCorrupt : ErrorCode::kIo, "checkpoint store: " + what + ": " + sqlite3_errmsg(db)};
}

Result<CheckpointUnit> read_unit(Statement& s) {
  CheckpointUnit unit;
  unit.stream = s.text(0);
  unit.partition = s.integer(1);
  unit.position = s.integer(2);
  unit.config_hash = s.text(3);
  unit.state = s.text(4);
  if (crc32c(unit.state) != static_cast<std::uint32_t>(s.integer(5))) {
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
  const auto known = version.step();
  if (!known) return known.error().at(path);
  if (*known && version.integer(0) != kSchemaVersion) {
    return Error{ErrorCode::kInvalidArgument,
                 path + ": written by another version of driftd (format " + std::to_string(version.integer(0)) + ", this one reads " +
                     std::to_string(kSchemaVersion) + "); start it with that version, or with an empty data_dir"};
  }
  if (!*known) {
    if (const Status s = store->execute("INSERT INTO meta VALUES('version', 2)"); !s) return s.error().at(path);
  }
  return store;
}

CheckpointStore::~CheckpointStore() { sqlite3_close(db_); }

Status CheckpointStore::execute(const char* sql) {
  if (sqlite3_exec(db_, sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failed(db_, sql);
  return {};
}

Status CheckpointStore::write(const Checkpoint& checkpoint) {
  Statement unit(db_, "INSERT OR REPLACE INTO unit VALUES(?,?,?,?,?,?)");
  for (const CheckpointUnit& u : checkpoint.units) {
    unit.bind(u.stream).bind(u.partition).bind(u.position).bind(u.config_hash).bind_blob(u.state).bind(std::int64_t{crc32c(u.state)});
    if (const Status s = unit.run(); !s) return s;
    unit.reset();
  }
  Statement meta(db_, "INSERT OR REPLACE INTO meta VALUES('hub', ?), ('hub_crc', ?), ('saved_at', ?)");
  meta.bind_blob(checkpoint.hub).bind(std::int64_t{crc32c(checkpoint.hub)}).bind(checkpoint.at);
  return meta.run();
}

Result<std::uint64_t> CheckpointStore::put(const Checkpoint& checkpoint) {
  const std::scoped_lock lock(mutex_);
  if (const Status s = execute("BEGIN IMMEDIATE"); !s) return s.error();
  Status status = write(checkpoint);
  if (status) status = execute("COMMIT");
  if (!status) {
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    return status.error().at("writing a checkpoint");
  }
  std::uint64_t bytes = checkpoint.hub.size();
  for (const CheckpointUnit& u : checkpoint.units) bytes += u.state.size();
  return bytes;
}

Result<std::optional<CheckpointUnit>> CheckpointStore::unit(const std::string& stream, std::int64_t partition) {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "SELECT stream,partition,position,config_hash,state,crc FROM unit WHERE stream=? AND partition=?");
  s.bind(stream).bind(partition);
  const auto found = s.step();
  if (!found) return found.error().at("reading a checkpoint");
  if (!*found) return std::optional<CheckpointUnit>();
  auto unit = read_unit(s);
  if (!unit) return unit.error();
  return std::optional<CheckpointUnit>(std::move(*unit));
}

Result<std::vector<CheckpointUnit>> CheckpointStore::units() {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "SELECT stream,partition,position,config_hash,state,crc FROM unit ORDER BY stream, partition");
  std::vector<CheckpointUnit> units;
  for (;;) {
    const auto found = s.step();
    if (!found) return found.error().at("reading checkpoints");
    if (!*found) return units;
    auto unit = read_unit(s);
    if (!unit) return unit.error();
    units.push_back(std::move(*unit));
  }
}

Result<CheckpointStore::Progress> CheckpointStore::progress(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  Progress out;
  // A partition's state starts with these two (docs/FORMATS.md).
  Statement s(db_, "SELECT substr(state, 1, 16) FROM unit WHERE stream=? AND partition>=0");
  s.bind(stream);
  for (;;) {
    const auto row = s.step();
    if (!row) return row.error();
    if (!*row) return out;
    const std::string head = s.text(0);
    ByteReader in(head);
    const Time max_time = in.i64(), closed_until = in.i64();
    if (in.failed()) return Error{ErrorCode::kCorrupt, "the checkpoint of a partition of " + stream + " is cut off"};
    out.max_time = std::max(out.max_time, max_time);
    out.closed_until = std::max(out.closed_until, closed_until);
  }
}

Result<std::string> CheckpointStore::hub() {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "SELECT value, (SELECT value FROM meta WHERE key='hub_crc') FROM meta WHERE key='hub'");
  const auto found = s.step();
  if (!found) return found.error().at("reading a checkpoint");
  if (!*found) return std::string();
  std::string hub = s.text(0);
  if (crc32c(hub) != static_cast<std::uint32_t>(s.integer(1))) {
    return Error{ErrorCode::kCorrupt, "checkpoint of the alerts: checksum does not match"};
  }
  return hub;
}

Result<Time> CheckpointStore::saved_at() {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "SELECT value FROM meta WHERE key='saved_at'");
  const auto found = s.step();
  if (!found) return found.error().at("reading a checkpoint");
  return *found ? Time{s.integer(0)} : Time{0};
}

Status CheckpointStore::remove(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "DELETE FROM unit WHERE stream=?");
  s.bind(stream);
  return s.run();
}

}  // namespace driftd::app
