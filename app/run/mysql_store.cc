#include "app/run/mysql_store.h"

#include <algorithm>
#include <cstdlib>

#include "core/bytes.h"
#include "core/hash.h"

namespace driftd::app {
namespace {

constexpr std::size_t kChunk = 1U << 20;  // a server takes statements of 16 MiB at least by default, and quoting doubles

constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS driftd_unit(scope VARBINARY(64) NOT NULL, stream VARBINARY(64) NOT NULL, part BIGINT NOT NULL, "
    "owner VARBINARY(64) NOT NULL, epoch BIGINT NOT NULL, beat DATETIME(6) NULL, position BIGINT NULL, config_hash VARBINARY(64) NULL, "
    "crc BIGINT NULL, size BIGINT NULL, closed_until BIGINT NULL, warm_from BIGINT NULL, idle BOOL NOT NULL, "
    "told_hash VARBINARY(64) NULL, PRIMARY KEY(scope, stream, part)) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS driftd_state(scope VARBINARY(64) NOT NULL, stream VARBINARY(64) NOT NULL, part BIGINT NOT NULL, "
    "chunk INT NOT NULL, bytes MEDIUMBLOB NOT NULL, PRIMARY KEY(scope, stream, part, chunk)) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS driftd_output(id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, stream VARBINARY(64) NOT NULL, "
    "part BIGINT NOT NULL, window_end BIGINT NOT NULL, config_hash VARBINARY(64) NOT NULL, reference VARBINARY(64) NOT NULL, crc BIGINT "
    "NOT NULL, bytes LONGBLOB NOT NULL, "
    "UNIQUE KEY(stream, part, window_end, config_hash)) ENGINE=InnoDB",
};

std::string num(std::int64_t n) { return std::to_string(n); }
std::int64_t number(const std::optional<std::string>& text) { return text ? std::strtoll(text->c_str(), nullptr, 10) : 0; }

std::string ids_of(const std::set<std::int64_t>& ids) {
  std::string out;
  for (const std::int64_t id : ids) out += (out.empty() ? "" : ",") + num(id);
  return out;
}

}  // namespace

Status MysqlStore::transact(const std::function<Status()>& work) {
  if (!session_) {
    auto session = stats::MysqlSession::connect(connection_);
    if (!session) return session.error().at("the shared store");
    const auto set = session->execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED");
    if (!set) return set.error().at("the shared store");
    session_ = std::move(*session);
  }
  const auto begun = session_->execute("BEGIN");
  Status done = begun ? work() : Status(begun.error());
  if (done) {
    const auto committed = session_->execute("COMMIT");
    if (!committed) done = committed.error();
  }
  if (done) return {};
  if (done.error().code == ErrorCode::kUnavailable) {
    session_.reset();  // its end rolls back
  } else if (const auto rolled_back = session_->execute("ROLLBACK"); !rolled_back) {
    session_.reset();
  }
  return done.error().at("the shared store");
}

Result<std::unique_ptr<MysqlStore>> MysqlStore::open(const stats::MysqlConnection& connection, std::string instance, Duration lease) {
  std::unique_ptr<MysqlStore> store(new MysqlStore(connection, std::move(instance), lease));
  const Status made = store->transact([&]() -> Status {
    for (const char* sql : kTables) {
      if (const auto s = store->session_->execute(sql); !s) return s.error();
    }
    return {};
  });
  if (!made) return made.error();
  return store;
}

std::unique_ptr<MysqlStore> MysqlStore::open_to_read(const stats::MysqlConnection& connection) {
  return std::unique_ptr<MysqlStore>(new MysqlStore(connection, "", 0));
}

void MysqlStore::share(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  shared_.insert(stream);
}

std::string MysqlStore::where(const std::string& stream, std::int64_t partition) const {
  return " WHERE scope=" + session_->quote(scope_of(stream)) + " AND stream=" + session_->quote(stream) + " AND part=" + num(partition);
}

Result<std::uint64_t> MysqlStore::put(const Checkpoint& checkpoint) {
  const std::scoped_lock lock(mutex_);
  std::uint64_t bytes = checkpoint.hub.size();
  std::vector<Key> fenced;
  const Status done = transact([&]() -> Status {
    for (const CheckpointUnit& unit : checkpoint.units) {
      bytes += unit.state.size();
      if (const Status s = put_unit(unit, fenced); !s) return s;
    }
    if (const Status s = put_handed_over(checkpoint.handed_over); !s) return s;
    if (!checkpoint.taken.empty()) {
      const std::set<std::int64_t> ids(checkpoint.taken.begin(), checkpoint.taken.end());
      if (const auto s = session_->execute("DELETE FROM driftd_output WHERE id IN (" + ids_of(ids) + ")"); !s) return s.error();
    }
    return put_unit({"", kHubUnit, 0, "", checkpoint.hub}, fenced);
  });
  if (!done) return done.error().at("writing a checkpoint");
  fenced_.insert(fenced_.end(), fenced.begin(), fenced.end());
  return bytes;
}

// A partition that another driftd has taken over is left out; of a merger that would be half a checkpoint.
Status MysqlStore::put_unit(const CheckpointUnit& unit, std::vector<Key>& fenced) {
  const std::string values = "position=" + num(unit.position) + ", config_hash=" + session_->quote(unit.config_hash) +
                             ", crc=" + num(crc_of(unit)) + ", size=" + num(static_cast<std::int64_t>(unit.state.size()));
  const bool shared = shared_.count(unit.stream) != 0;
  // The alerts of a stream go with its merger, which comes before them.
  if (shared && unit.partition != kAlertsUnit) {
    const auto epoch = epochs_.find({unit.stream, unit.partition});
    const std::string ours = " AND owner=" + session_->quote(instance_) + " AND epoch=" + num(epoch == epochs_.end() ? -1 : epoch->second);
    const auto found = session_->execute("UPDATE driftd_unit SET " + values + where(unit.stream, unit.partition) + ours);
    if (!found) return found.error();
    if (*found == 0 && unit.partition == kMergerUnit) {
      return Error{ErrorCode::kAlreadyExists, "another driftd judges the windows of stream " + unit.stream + " now"};
    }
    if (*found == 0) {
      fenced.emplace_back(unit.stream, unit.partition);
      return {};
    }
  } else {
    const auto done = session_->execute("INSERT INTO driftd_unit SET scope=" + session_->quote(scope_of(unit.stream)) +
                                        ", stream=" + session_->quote(unit.stream) + ", part=" + num(unit.partition) + ", owner=" +
                                        session_->quote(instance_) + ", epoch=0, idle=0, " + values + " ON DUPLICATE KEY UPDATE " + values);
    if (!done) return done.error();
  }
  return put_state(unit);
}

Status MysqlStore::put_state(const CheckpointUnit& unit) {
  const std::string row = "REPLACE INTO driftd_state VALUES(" + session_->quote(scope_of(unit.stream)) + "," +
                          session_->quote(unit.stream) + "," + num(unit.partition) + ",";
  std::size_t chunk = 0;
  for (std::size_t at = 0; at < unit.state.size(); at += kChunk, ++chunk) {
    const std::string_view part = std::string_view(unit.state).substr(at, kChunk);
    const auto done = session_->execute(row + std::to_string(chunk) + "," + session_->quote(part) + ")");
    if (!done) return done.error();
  }
  const auto rest =
      session_->execute("DELETE FROM driftd_state" + where(unit.stream, unit.partition) + " AND chunk>=" + std::to_string(chunk));
  return rest ? Status() : Status(rest.error());
}

Status MysqlStore::put_handed_over(const HandOver& what) {
  for (const HandedOver& o : what.outputs) {
    const auto done =
        session_->execute("INSERT IGNORE INTO driftd_output(stream, part, window_end, config_hash, reference, crc, bytes) VALUES(" +
                          session_->quote(o.stream) + "," + num(o.partition) + "," + num(o.end) + "," + session_->quote(o.config_hash) +
                          "," + session_->quote(o.reference) + "," + num(crc_of(o)) + "," + session_->quote(o.output) + ")");
    if (!done) return done.error();
  }
  for (const HandOverProgress& p : what.progress) {
    const auto epoch = epochs_.find({p.stream, p.partition});
    const auto done = session_->execute("UPDATE driftd_unit SET closed_until=" + num(p.closed_until) + ", warm_from=" + num(p.warm_from) +
                                        ", idle=" + (p.idle ? "1" : "0") + ", told_hash=" + session_->quote(p.config_hash) +
                                        where(p.stream, p.partition) + " AND owner=" + session_->quote(instance_) +
                                        " AND epoch=" + num(epoch == epochs_.end() ? -1 : epoch->second));
    if (!done) return done.error();
  }
  return {};
}

Result<std::optional<CheckpointUnit>> MysqlStore::unit(const std::string& stream, std::int64_t partition) {
  const std::scoped_lock lock(mutex_);
  std::optional<CheckpointUnit> unit;
  Status intact;
  const bool claim = shared_.count(stream) != 0 && partition >= 0;
  const Status done = transact([&]() -> Status {
    if (claim) {
      const auto made =
          session_->execute("INSERT INTO driftd_unit SET scope='', stream=" + session_->quote(stream) + ", part=" + num(partition) +
                            ", owner=" + session_->quote(instance_) + ", epoch=1, idle=0, beat=NOW(6) " +
                            "ON DUPLICATE KEY UPDATE owner=VALUES(owner), epoch=epoch+1, idle=0, beat=NOW(6)");
      if (!made) return made.error();
      const auto row = session_->query("SELECT epoch FROM driftd_unit" + where(stream, partition));
      if (!row) return row.error();
      epochs_[{stream, partition}] = number((*row)[0][0]);
    }
    intact = read_unit(where(stream, partition), stream, partition, unit);
    // It is taken over, whole or not.
    return !intact && intact.error().code == ErrorCode::kCorrupt ? Status() : intact;
  });
  if (!done) return done.error();
  if (!intact) return intact.error();
  return unit;
}

Status MysqlStore::read_unit(const std::string& in_row, const std::string& stream, std::int64_t partition,
                             std::optional<CheckpointUnit>& unit) {
  unit.reset();
  const auto rows = session_->query("SELECT position, config_hash, crc, size FROM driftd_unit" + in_row);
  if (!rows) return rows.error();
  if (rows->empty() || !(*rows)[0][0]) return {};
  const auto& row = (*rows)[0];
  CheckpointUnit read;
  read.stream = stream;
  read.partition = partition;
  read.position = number(row[0]);
  read.config_hash = row[1].value_or("");
  const auto chunks = session_->query("SELECT bytes FROM driftd_state" + in_row + " ORDER BY chunk");
  if (!chunks) return chunks.error();
  for (const auto& chunk : *chunks) read.state += *chunk[0];
  if (crc_of(read) != number(row[2]) || static_cast<std::int64_t>(read.state.size()) != number(row[3])) {
    const std::string part = partition == kMergerUnit ? "merger" : "partition " + num(partition);
    return Error{ErrorCode::kCorrupt, "checkpoint of stream " + stream + ", " + part + ": its checksum does not match"};
  }
  unit = std::move(read);
  return {};
}

Status MysqlStore::each_unit(const UnitVisitor& visit) {
  const std::scoped_lock lock(mutex_);
  return transact([&]() -> Status {
    const auto rows =
        session_->query("SELECT scope, stream, part, owner FROM driftd_unit WHERE position IS NOT NULL ORDER BY stream, scope, part");
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      const std::string in_row =
          " WHERE scope=" + session_->quote(*row[0]) + " AND stream=" + session_->quote(*row[1]) + " AND part=" + *row[2];
      std::optional<CheckpointUnit> unit;
      const Status intact = read_unit(in_row, *row[1], number(row[2]), unit);
      if (!intact && intact.error().code != ErrorCode::kCorrupt) return intact;
      if (!unit) unit = CheckpointUnit{*row[1], number(row[2]), 0, "", "", true};
      visit(*row[3], std::move(*unit), intact);
    }
    return {};
  });
}

Result<std::optional<std::string>> MysqlStore::hub() {
  auto stored = unit("", kHubUnit);
  if (!stored) return stored.error();
  return *stored ? std::optional(std::move((*stored)->state)) : std::nullopt;
}

Result<CheckpointStore::Progress> MysqlStore::progress(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  Progress out;
  const Status done = transact([&]() -> Status {
    const auto rows = session_->query("SELECT SUBSTR(bytes, 1, 16) FROM driftd_state WHERE scope=" + session_->quote(scope_of(stream)) +
                                      " AND stream=" + session_->quote(stream) + " AND part>=0 AND chunk=0");
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      ByteReader in(*row[0]);
      const Time max_time = in.time(), closed_until = in.time();
      if (in.failed()) continue;
      out.max_time = std::max(out.max_time, max_time);
      out.closed_until = std::max(out.closed_until, closed_until);
    }
    return {};
  });
  if (!done) return done.error();
  return out;
}

// Of a shared stream the others may still have it.
Status MysqlStore::remove(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  if (shared_.count(stream) != 0) return {};
  return transact([&]() -> Status {
    for (const char* table : {"driftd_unit", "driftd_state"}) {
      const auto done = session_->execute(std::string("DELETE FROM ") + table + " WHERE scope=" + session_->quote(instance_) +
                                          " AND stream=" + session_->quote(stream));
      if (!done) return done.error();
    }
    return {};
  });
}

std::vector<std::pair<std::string, std::int64_t>> MysqlStore::fenced() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(fenced_, {});
}

}  // namespace driftd::app
