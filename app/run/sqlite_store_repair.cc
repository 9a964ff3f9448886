// The side of SqliteStore that looks at stores and mends them.
#include <sqlite3.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

#include "app/run/sqlite_store.h"
#include "core/files.h"
#include "core/log.h"
#include "core/sqlite_statement.h"

namespace driftd::app {
namespace {

// No state of a hub: in place of one that is lost, so that nobody takes it for the first, empty one.
constexpr const char* kLostHub = "?";
constexpr const char* kReady = ".ready";

bool there_is(const std::string& path) {
  std::error_code ignored;
  return std::filesystem::exists(path, ignored);
}

std::string folder_of(const std::string& path) {
  const auto folder = std::filesystem::path(path).parent_path();
  return folder.empty() ? "." : folder.string();
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open_to_read(const std::string& path) {
  if (!std::filesystem::exists(path)) return Error{ErrorCode::kNotFound, path + ": there is no checkpoint store"};
  // A file that nobody has open may lie where nothing can be written, not even what WAL needs for reading.
  const bool alone = !std::filesystem::exists(path + "-wal");
  Error refused;
  for (const bool immutable : {false, true}) {
    if (immutable && !alone) break;
    sqlite3* db = nullptr;
    const bool opened =
        sqlite3_open_v2(sqlite_uri(path, immutable).c_str(), &db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI, nullptr) == SQLITE_OK;
    std::unique_ptr<SqliteStore> store(new SqliteStore(db, path));
    sqlite3_busy_timeout(db, 5000);
    Statement version(db, "SELECT value FROM meta WHERE key='version'");
    const auto known = opened ? version.step() : Result<bool>(sqlite_error(db, "opening"));
    if (!known) {
      refused = known.error().at(path);
      if (refused.code == ErrorCode::kCorrupt) break;
      continue;
    }
    if (!*known || version.integer(0) != kSchemaVersion) {
      return Error{ErrorCode::kInvalidArgument, path + ": not a checkpoint store of this version of driftd (format " +
                                                    (*known ? std::to_string(version.integer(0)) : "none") + ", this one reads " +
                                                    std::to_string(kSchemaVersion) + ")"};
    }
    version.reset();
    if (const Status s = sqlite_execute(db, "BEGIN"); !s) return s.error().at(path);
    return store;
  }
  return refused;
}

Status SqliteStore::drop_newer(std::int64_t generation) {
  const std::scoped_lock lock(mutex_);
  if (const Status s = sqlite_execute(db_, "BEGIN IMMEDIATE"); !s) return s;
  Status status = drop(">", generation);
  if (status) status = sqlite_execute(db_, "COMMIT");
  if (!status) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  return status;
}

Status SqliteStore::pages() {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "PRAGMA quick_check(1)");
  const auto row = s.step();
  if (!row) return row.error();
  const std::string said = *row ? s.text(0) : "no answer";
  return said == "ok" ? Status() : Status(Error{ErrorCode::kCorrupt, said});
}

Result<std::string> SqliteStore::rebuild(std::int64_t generation, Time now) {
  const std::scoped_lock lock(mutex_);
  Checkpoint salvaged;
  salvaged.at = now;
  {
    Statement time(db_, "SELECT at FROM generation WHERE number=?");
    if (const auto row = time.bind(generation).step(); row && *row) salvaged.at = time.integer(0);
  }
  const auto hub = read_hub(generation);
  salvaged.hub = hub ? *hub : kLostHub;
  const Status read = read_units(generation, [&](CheckpointUnit unit, const Status& intact) {
    if (intact) salvaged.units.push_back(std::move(unit));
  });
  if (!read) {
    log::error("the units of a checkpoint can be read in part only; the rest of them is lost",
               {{"path", path_}, {"read", std::to_string(salvaged.units.size())}, {"why", read.error().message}});
  }
  if (const Status s = make_ready(path_, salvaged); !s) return s.error();
  return reopen_ready(now);
}

Result<std::string> SqliteStore::begin_anew(const std::string& path, Time now) {
  Checkpoint lost;
  lost.at = now;
  lost.hub = kLostHub;
  if (const Status s = make_ready(path, lost); !s) return s.error();
  return adopt_ready(path, now);
}

// A file is replaced in steps that a kill or a full disk may come between: the new one is made whole under another name, is `.ready`
// from one moment to the next, and only then does the old one go. While there is a `.ready`, it is what is gone on with.
Status SqliteStore::make_ready(const std::string& path, const Checkpoint& checkpoint) {
  const std::string made = path + ".new";
  for (const char* suffix : {"-wal", "-shm", ""}) std::remove((made + suffix).c_str());
  {
    auto store = open_as_it_is(made);
    if (!store) return store.error();
    if (const auto put = (*store)->put_now(checkpoint); !put) return put.error().at(made);
  }
  // Closing moves what was written ahead into the file; where the disk refuses that, it stays beside it.
  if (there_is(made + "-wal")) return Error{ErrorCode::kIo, made + ": cannot be completed; is the disk full?"};
  if (std::rename(made.c_str(), (path + kReady).c_str()) != 0) {
    return Error{ErrorCode::kIo, "cannot rename " + made + " to " + path + kReady + ": " + std::strerror(errno)};
  }
  return sync_folder(folder_of(path));
}

// "" when there is none.
Result<std::string> SqliteStore::adopt_ready(const std::string& path, Time now) {
  const std::string ready = path + kReady;
  if (!there_is(ready)) return std::string();
  const auto aside = set_aside(path, now);
  if (!aside) return aside.error();
  if (std::rename(ready.c_str(), path.c_str()) != 0) {
    return Error{ErrorCode::kIo, "cannot rename " + ready + " to " + path + ": " + std::strerror(errno)};
  }
  if (const Status s = sync_folder(folder_of(path)); !s) return s.error();
  return *aside;
}

// No statement may be left, or the connection would stay open.
Result<std::string> SqliteStore::reopen_ready(Time now) {
  if (!there_is(path_ + kReady)) return std::string();
  sqlite3_close_v2(db_);
  const auto aside = adopt_ready(path_, now);
  // Whatever happens there is a connection; what is put next tries again.
  sqlite3_open(path_.c_str(), &db_);
  if (!aside) return aside.error();
  if (const Status s = prepare(); !s) return s.error().at(path_);
  return *aside;
}

Result<std::string> set_aside(const std::string& path, Time now) {
  const std::string aside = path + ".damaged-" + std::to_string(now / kSecond);
  // What was not yet moved into the file goes first: beside a new file it would be taken for that one's.
  for (const char* suffix : {"-wal", "-shm", ""}) {
    if (std::rename((path + suffix).c_str(), (aside + suffix).c_str()) != 0 && errno != ENOENT) {
      return Error{ErrorCode::kIo, "cannot rename " + path + suffix + " to " + aside + suffix + ": " + std::strerror(errno)};
    }
  }
  return aside;
}

}  // namespace driftd::app
