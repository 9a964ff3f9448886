#include "app/run/mysql_store.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "core/bytes.h"
#include "core/clock.h"
#include "core/hash.h"

namespace driftd::app {
namespace {

using stats::MysqlSession;

// A transaction that met another one's locks is done again: all attempts are over before a database counts as frozen
// (Service::open_shared_store), as a checkpoint holds up partitions that are to be given up.
constexpr unsigned kAttempts = 4;

constexpr Duration kFrozenFrom = 5 * kSecond;
constexpr Duration kFrozenFor = 5 * kSecond;

std::string num(std::int64_t n) { return std::to_string(n); }

}  // namespace

Status MysqlStore::transact(const std::function<Status()>& work) {
  for (unsigned attempt = 1;; ++attempt) {
    bool conflicted = false;
    const Status done = run({"BEGIN"}, work, conflicted);
    if (done || !conflicted || attempt == kAttempts) return done;
    // Two that met are not to meet again.
    std::this_thread::sleep_for(attempt * std::chrono::milliseconds(10 + std::random_device()() % 40));
  }
}

Status MysqlStore::look(const std::function<Status()>& work) {
  bool conflicted = false;  // it takes no locks
  return run({"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ", "START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"}, work,
             conflicted);
}

Status MysqlStore::run(std::initializer_list<const char*> begin, const std::function<Status()>& work, bool& conflicted) {
  const Duration begun_at = monotonic_now();
  if (begun_at < frozen_until_) return frozen_;
  if (!session_) {
    if (const Status s = connect(); !s) return failed(s.error().at("the shared store"), begun_at);
  }
  Status done;
  for (const char* sql : begin) {
    if (!done) break;
    if (const auto begun = session_->execute(sql); !begun) done = begun.error();
  }
  if (done) done = work();
  if (done) {
    const auto committed = session_->execute("COMMIT");
    if (!committed) done = committed.error();
  }
  if (done) return {};
  conflicted = done.error().code == ErrorCode::kUnavailable && session_->conflicted();
  if (done.error().code == ErrorCode::kUnavailable && !conflicted) {
    session_.reset();  // its end rolls back
  } else if (const auto rolled_back = session_->execute("ROLLBACK"); !rolled_back) {
    session_.reset();
  }
  const Error why = done.error().at("the shared store");
  return conflicted ? why : failed(why, begun_at);
}

// A database that does not answer costs its timeout, and what comes next would wait as long again, one after the other.
Error MysqlStore::failed(const Error& why, Duration begun_at) {
  const Duration now = monotonic_now();
  if (why.code == ErrorCode::kUnavailable && now - begun_at >= kFrozenFrom) {
    frozen_until_ = now + kFrozenFor;
    frozen_ = why;
  }
  return why;
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
  std::uint64_t bytes = 0;
  std::vector<Key> fenced;
  const Status done = transact([&]() -> Status {
    bytes = checkpoint.hub.size();
    fenced.clear();
    for (const CheckpointUnit& unit : checkpoint.units) {
      bytes += unit.state.size();
      if (const Status s = put_unit(unit, fenced); !s) return s;
    }
    if (const Status s = put_handed_over(checkpoint.handed_over, fenced); !s) return s;
    if (const Status s = delete_outputs(checkpoint.taken); !s) return s;
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
      epochs_[{stream, partition}] = MysqlSession::integer((*row)[0][0]);
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
  const auto rows = session_->query("SELECT position, config_hash, crc, size, (SELECT COALESCE(SUM(LENGTH(bytes)), 0) FROM driftd_state" +
                                    in_row + ") FROM driftd_unit" + in_row);
  if (!rows) return rows.error();
  if (rows->empty() || !(*rows)[0][0]) return {};
  const auto& row = (*rows)[0];
  CheckpointUnit read;
  read.stream = stream;
  read.partition = partition;
  read.position = MysqlSession::integer(row[0]);
  read.config_hash = row[1].value_or("");
  const bool whole = row[3] == row[4];  // a chunk too many takes no memory
  if (whole) {
    const auto chunks = session_->query("SELECT bytes FROM driftd_state" + in_row + " ORDER BY chunk");
    if (!chunks) return chunks.error();
    for (const auto& chunk : *chunks) read.state += *chunk[0];
  }
  if (!whole || crc_of(read) != MysqlSession::integer(row[2])) {
    const std::string part = partition == kMergerUnit ? "merger" : "partition " + num(partition);
    return Error{ErrorCode::kCorrupt, "checkpoint of stream " + stream + ", " + part + ": its checksum does not match"};
  }
  unit = std::move(read);
  return {};
}

Status MysqlStore::each_unit(const UnitVisitor& visit) {
  const std::scoped_lock lock(mutex_);
  return look([&]() -> Status {
    const auto rows =
        session_->query("SELECT scope, stream, part, owner FROM driftd_unit WHERE position IS NOT NULL ORDER BY stream, scope, part");
    if (!rows) return rows.error();
    for (const auto& row : *rows) {
      const std::string in_row =
          " WHERE scope=" + session_->quote(*row[0]) + " AND stream=" + session_->quote(*row[1]) + " AND part=" + *row[2];
      std::optional<CheckpointUnit> unit;
      const Status intact = read_unit(in_row, *row[1], MysqlSession::integer(row[2]), unit);
      if (!intact && intact.error().code != ErrorCode::kCorrupt) return intact;
      if (!unit) unit = CheckpointUnit{*row[1], MysqlSession::integer(row[2]), 0, "", "", true};
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
  const Status done = look([&]() -> Status {
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
