#include "app/run/sqlite_store.h"

#include <sqlite3.h>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/sqlite_statement.h"

namespace driftd::app {
namespace {

// A partition's state starts with its newest event time, closed until and next position (docs/FORMATS.md).
constexpr std::size_t kHead = 24;
// A value of SQLite may have 1,000,000,000 bytes at the most, and a state more.
constexpr std::size_t kChunkBytes = 16U << 20;

std::uint32_t crc_of(Time at, std::int64_t units, std::string_view hub) {
  ByteWriter head;
  head.i64(at);
  head.i64(units);
  return crc32c(hub, crc32c(head.bytes()));
}

// The position is in the row and in the state: when both say the same, it is what was put.
bool position_agrees(const CheckpointUnit& unit) {
  if (unit.partition == kMergerUnit || unit.state.size() < kHead) return false;
  ByteReader in(unit.state);
  in.i64();
  in.i64();
  return in.i64() == unit.position;
}

constexpr const char* kSelectUnit =
    "SELECT stream, partition, position, config_hash, crc, (SELECT bytes FROM state WHERE id = unit.state), state FROM unit ";

}  // namespace

// The unit of a row of kSelectUnit; `intact` says whether it is what was put.
CheckpointUnit SqliteStore::read_unit(Statement& s, Status& intact) {
  CheckpointUnit unit;
  unit.stream = s.text(0);
  unit.partition = s.integer(1);
  unit.position = s.integer(2);
  unit.config_hash = s.text(3);
  unit.state = s.text(5);
  intact = unit.state.size() < kChunkBytes ? Status() : read_rest(s.integer(6), unit.state);
  if (intact && crc_of(unit) == static_cast<std::uint32_t>(s.integer(4))) return unit;
  if (intact) intact = Error{ErrorCode::kCorrupt, "its checksum does not match"};
  unit.damaged = true;
  return unit;
}

Status SqliteStore::read_rest(std::int64_t id, std::string& state) {
  Statement s(db_, "SELECT bytes FROM state_rest WHERE state=? ORDER BY chunk");
  s.bind(id);
  for (;;) {
    const auto found = s.step();
    if (!found) return found.error();
    if (!*found) return {};
    state += s.text(0);
  }
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(const std::string& path) {
  if (const auto aside = adopt_ready(path, SystemClock().now()); !aside) return aside.error();
  return open_as_it_is(path);
}

Result<std::unique_ptr<SqliteStore>> SqliteStore::open_as_it_is(const std::string& path) {
  sqlite3* db = nullptr;
  const bool opened = sqlite3_open(path.c_str(), &db) == SQLITE_OK;
  std::unique_ptr<SqliteStore> store(new SqliteStore(db, path));
  if (!opened) return sqlite_error(db, "cannot open " + path);
  if (const Status s = store->prepare(); !s) return s.error().at(path);
  return store;
}

Status SqliteStore::prepare() {
  sqlite3_busy_timeout(db_, 5000);
  // Debian's SQLite writes zeros over what is deleted, and that is a checkpoint each time.
  for (const char* sql : {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA secure_delete=OFF",
                          "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID"}) {
    if (const Status s = sqlite_execute(db_, sql); !s) return s;
  }
  Statement version(db_, "SELECT value FROM meta WHERE key='version'");
  const auto known = version.step();
  if (!known) return known.error();
  const bool before = *known && version.integer(0) == kVersionWithoutRest;
  if (*known && !before && version.integer(0) != kSchemaVersion) {
    return Error{ErrorCode::kInvalidArgument, "written by another version of driftd (format " + std::to_string(version.integer(0)) +
                                                  ", this one reads " + std::to_string(kSchemaVersion) +
                                                  "); start it with that version, or with an empty data_dir"};
  }
  const bool fresh = !*known;
  version.reset();
  static_assert(kSchemaVersion == 4);
  const std::string rest = "CREATE TABLE state_rest(state INTEGER, chunk INTEGER, bytes BLOB, PRIMARY KEY(state, chunk));";
  if (before) return sqlite_execute(db_, ("BEGIN IMMEDIATE;" + rest + "UPDATE meta SET value=4 WHERE key='version';COMMIT").c_str());
  if (!fresh) return {};
  // All of it or nothing: a kill between these must not leave a version without tables.
  const std::string made =
      "BEGIN IMMEDIATE;"
      "CREATE TABLE generation(number INTEGER PRIMARY KEY, at INTEGER, units INTEGER, hub BLOB, crc INTEGER);"
      "CREATE TABLE state(id INTEGER PRIMARY KEY, bytes BLOB);"
      "CREATE TABLE unit(generation INTEGER, stream TEXT, partition INTEGER, position INTEGER, config_hash TEXT, state INTEGER, "
      "crc INTEGER, PRIMARY KEY(generation, stream, partition)) WITHOUT ROWID;";
  return sqlite_execute(db_, (made + rest + "INSERT INTO meta VALUES('version', 4);COMMIT").c_str());
}

SqliteStore::~SqliteStore() { sqlite3_close(db_); }

Result<std::int64_t> SqliteStore::newest() {
  Statement s(db_, "SELECT max(number) FROM generation");
  if (const auto row = s.step(); !row) return row.error();
  return s.integer(0);  // 0: none
}

Result<std::uint64_t> SqliteStore::put(const Checkpoint& checkpoint) {
  const std::scoped_lock lock(mutex_);
  if (const auto aside = reopen_ready(checkpoint.at); !aside) return aside.error();
  return put_now(checkpoint);
}

Result<std::uint64_t> SqliteStore::put_now(const Checkpoint& checkpoint) {
  if (const Status s = sqlite_execute(db_, "BEGIN IMMEDIATE"); !s) return s.error();
  const auto bytes = write(checkpoint);
  Status status = bytes ? sqlite_execute(db_, "COMMIT") : Status(bytes.error());
  if (!status) {
    sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
    return status.error().at("writing a checkpoint");
  }
  removed_.clear();
  return *bytes;
}

Result<std::uint64_t> SqliteStore::write(const Checkpoint& checkpoint) {
  const auto before = newest();
  if (!before) return before.error();
  const std::int64_t number = *before + 1;
  std::uint64_t bytes = checkpoint.hub.size();
  Statement unit(db_, "INSERT INTO unit VALUES(?,?,?,?,?,?,?)");
  for (const CheckpointUnit& u : checkpoint.units) {
    bytes += u.state.size();
    const auto state = write_state(u.state);
    if (!state) return state.error();
    unit.bind(number).bind(u.stream).bind(u.partition).bind(u.position).bind(u.config_hash);
    if (const Status s = unit.bind(*state).bind(std::int64_t{crc_of(u)}).run(); !s) return s.error();
    unit.reset();
  }
  const auto carried = carry_over(checkpoint, *before, number);
  if (!carried) return carried.error();
  const auto units = static_cast<std::int64_t>(checkpoint.units.size() + *carried);
  Statement generation(db_, "INSERT INTO generation VALUES(?,?,?,?,?)");
  generation.bind(number).bind(checkpoint.at).bind(units).bind_blob(checkpoint.hub);
  if (const Status s = generation.bind(std::int64_t{crc_of(checkpoint.at, units, checkpoint.hub)}).run(); !s) return s.error();
  if (const Status s = drop("<", *before); !s) return s.error();
  return bytes;
}

// Returns its id.
Result<std::int64_t> SqliteStore::write_state(std::string_view state) {
  Statement first(db_, "INSERT INTO state(bytes) VALUES(?)");
  if (const Status s = first.bind_blob(state.substr(0, kChunkBytes)).run(); !s) return s.error();
  const std::int64_t id = sqlite3_last_insert_rowid(db_);
  for (std::size_t at = kChunkBytes; at < state.size(); at += kChunkBytes) {
    Statement next(db_, "INSERT INTO state_rest VALUES(?,?,?)");
    next.bind(id).bind(static_cast<std::int64_t>(at / kChunkBytes)).bind_blob(state.substr(at, kChunkBytes));
    if (const Status s = next.run(); !s) return s.error();
  }
  return id;
}

// What the checkpoint does not have stays as it is. Returns how many units.
Result<std::uint64_t> SqliteStore::carry_over(const Checkpoint& checkpoint, std::int64_t from, std::int64_t to) {
  std::set<std::pair<std::string, std::int64_t>> given;
  for (const CheckpointUnit& u : checkpoint.units) given.emplace(u.stream, u.partition);
  std::vector<CheckpointUnit> stay;
  Statement all(db_, "SELECT stream, partition FROM unit WHERE generation=?");
  all.bind(from);
  for (;;) {
    const auto row = all.step();
    if (!row) return row.error();
    if (!*row) break;
    CheckpointUnit unit;
    unit.stream = all.text(0);
    unit.partition = all.integer(1);
    if (removed_.count(unit.stream) == 0 && given.count({unit.stream, unit.partition}) == 0) stay.push_back(std::move(unit));
  }
  for (const CheckpointUnit& unit : stay) {
    if (const Status s = carry_over(unit, from, to); !s) return s.error();
  }
  return stay.size();
}

// Stored twice, so that no damage hits both generations; the copy of the generation that goes is used again.
Status SqliteStore::carry_over(const CheckpointUnit& unit, std::int64_t from, std::int64_t to) {
  Statement moved(db_,
                  "UPDATE unit SET generation=?1 WHERE generation=?2-1 AND stream=?3 AND partition=?4 AND EXISTS "
                  "(SELECT 1 FROM unit AS n WHERE n.generation=?2 AND n.stream=?3 AND n.partition=?4 AND n.crc=unit.crc AND "
                  "n.position=unit.position AND n.config_hash=unit.config_hash)");
  if (const Status s = moved.bind(to).bind(from).bind(unit.stream).bind(unit.partition).run(); !s) return s;
  if (sqlite3_changes(db_) == 1) return {};
  Statement state(db_,
                  "INSERT INTO state(bytes) SELECT bytes FROM state WHERE id="
                  "(SELECT state FROM unit WHERE generation=? AND stream=? AND partition=?)");
  if (const Status s = state.bind(from).bind(unit.stream).bind(unit.partition).run(); !s) return s;
  if (sqlite3_changes(db_) != 1) return Error{ErrorCode::kCorrupt, "the state of a partition is missing"};
  const std::int64_t id = sqlite3_last_insert_rowid(db_);
  Statement rest(db_,
                 "INSERT INTO state_rest SELECT ?, chunk, bytes FROM state_rest WHERE state="
                 "(SELECT state FROM unit WHERE generation=? AND stream=? AND partition=?)");
  if (const Status s = rest.bind(id).bind(from).bind(unit.stream).bind(unit.partition).run(); !s) return s;
  Statement row(db_,
                "INSERT INTO unit SELECT ?, stream, partition, position, config_hash, ?, crc FROM unit "
                "WHERE generation=? AND stream=? AND partition=?");
  return row.bind(to).bind(id).bind(from).bind(unit.stream).bind(unit.partition).run();
}

// `which`: < or >, than `generation`.
Status SqliteStore::drop(const char* which, std::int64_t generation) {
  const std::string goes = std::string(which) + "?1";
  // A damaged row may name a state of a generation that stays.
  const std::string states =
      " IN (SELECT state FROM unit WHERE generation" + goes + " EXCEPT SELECT state FROM unit WHERE NOT generation" + goes + ")";
  for (const std::string& sql : {"DELETE FROM state_rest WHERE state" + states, "DELETE FROM state WHERE id" + states,
                                 "DELETE FROM unit WHERE generation" + goes, "DELETE FROM generation WHERE number" + goes}) {
    Statement s(db_, sql.c_str());
    if (const Status done = s.bind(generation).run(); !done) return done;
  }
  return {};
}

Result<std::optional<CheckpointUnit>> SqliteStore::unit(const std::string& stream, std::int64_t partition) {
  const std::scoped_lock lock(mutex_);
  if (removed_.count(stream) != 0) return std::optional<CheckpointUnit>();
  Statement s(db_,
              (std::string(kSelectUnit) + "WHERE generation=(SELECT max(number) FROM generation) AND stream=? AND partition=?").c_str());
  s.bind(stream).bind(partition);
  const auto found = s.step();
  if (!found) return found.error().at("reading a checkpoint");
  if (!*found) return std::optional<CheckpointUnit>();
  Status intact;
  CheckpointUnit unit = read_unit(s, intact);
  if (!intact && intact.error().code != ErrorCode::kCorrupt) return intact.error().at("reading a checkpoint");
  if (!intact && !position_agrees(unit)) {
    return Error{ErrorCode::kCorrupt, "checkpoint of stream " + stream + ", " +
                                          (partition == kMergerUnit ? "merger" : "partition " + std::to_string(partition)) + ": " +
                                          intact.error().message};
  }
  return std::optional<CheckpointUnit>(std::move(unit));
}

Status SqliteStore::each_unit(std::int64_t generation, const UnitVisitor& visit) {
  const std::scoped_lock lock(mutex_);
  return read_units(generation, visit);
}

Status SqliteStore::read_units(std::int64_t generation, const UnitVisitor& visit) {
  Statement s(db_, (std::string(kSelectUnit) + "WHERE generation=? ORDER BY stream, partition").c_str());
  s.bind(generation);
  for (;;) {
    const auto found = s.step();
    if (!found) return found.error().at("reading checkpoints");
    if (!*found) return {};
    Status intact;
    CheckpointUnit unit = read_unit(s, intact);
    if (!intact && intact.error().code != ErrorCode::kCorrupt) return intact.error().at("reading checkpoints");
    visit(std::move(unit), intact);
  }
}

Result<CheckpointStore::Progress> SqliteStore::progress(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  Progress out;
  if (removed_.count(stream) != 0) return out;
  Statement s(db_,
              "SELECT (SELECT substr(bytes, 1, 16) FROM state WHERE id = unit.state) FROM unit "
              "WHERE generation=(SELECT max(number) FROM generation) AND stream=? AND partition>=0");
  s.bind(stream);
  for (;;) {
    const auto row = s.step();
    if (!row) return row.error();
    if (!*row) return out;
    const std::string head = s.text(0);
    ByteReader in(head);
    const Time max_time = in.time(), closed_until = in.time();
    if (in.failed()) continue;  // damaged, as was said when it was found
    out.max_time = std::max(out.max_time, max_time);
    out.closed_until = std::max(out.closed_until, closed_until);
  }
}

Status SqliteStore::remove(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  removed_.insert(stream);
  return {};
}

Result<std::vector<Generation>> SqliteStore::generations() {
  const std::scoped_lock lock(mutex_);
  std::vector<Generation> out;
  Statement s(db_, "SELECT number, at FROM generation ORDER BY number DESC");
  for (;;) {
    const auto row = s.step();
    if (!row) return row.error().at("reading checkpoints");
    if (!*row) return out;
    out.push_back({s.integer(0), s.integer(1)});
  }
}

Result<std::string> SqliteStore::hub(std::int64_t generation) {
  const std::scoped_lock lock(mutex_);
  return read_hub(generation);
}

Result<std::string> SqliteStore::read_hub(std::int64_t generation) {
  Statement s(db_, "SELECT hub, at, units, crc, (SELECT count(*) FROM unit WHERE generation=number) FROM generation WHERE number=?");
  s.bind(generation);
  const auto found = s.step();
  if (!found) return found.error().at("reading a checkpoint");
  if (!*found) return Error{ErrorCode::kNotFound, "there is no checkpoint " + std::to_string(generation)};
  std::string hub = s.text(0);
  if (crc_of(s.integer(1), s.integer(2), hub) != static_cast<std::uint32_t>(s.integer(3))) {
    return Error{ErrorCode::kCorrupt, "its checksum does not match"};
  }
  if (s.integer(2) != s.integer(4)) {
    return Error{ErrorCode::kCorrupt,
                 "the checkpoint had " + std::to_string(s.integer(2)) + " units, there are " + std::to_string(s.integer(4))};
  }
  return hub;
}

}  // namespace driftd::app
