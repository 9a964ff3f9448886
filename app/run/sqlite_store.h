// SqliteStore: the embedded checkpoint store, one SQLite file with the two newest checkpoints.
//
// Each checkpoint is a generation, complete in itself and stored apart from the other, also what is the
// same in both (partitions that are not ours now): damage to one leaves the other. put() is one transaction
// that also deletes what is older. A generation's row has a CRC-32C over the hub's state and the number of
// units, each unit one over all of its row. Format: docs/FORMATS.md.
//
// Thread-safety: internal lock. Durability: WAL with synchronous=FULL, so what put() returned for survives
// power loss. Errors: kCorrupt when the file is not a database (begin_anew()) or its pages are damaged
// (rebuild()).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <set>

#include "app/run/checkpoint_store.h"

struct sqlite3;

namespace driftd {
class Statement;
}

namespace driftd::app {

struct Generation {
  std::int64_t number = 0;  // growing by one with each checkpoint
  Time at = 0;              // wall clock
};

class SqliteStore final : public CheckpointStore {
 public:
  // Opens or makes the file; the folder exists.
  static Result<std::unique_ptr<SqliteStore>> open(const std::string& path);
  // Only to be looked at, also while driftd runs or on a medium that is read-only. What is read is one
  // moment of the store.
  static Result<std::unique_ptr<SqliteStore>> open_to_read(const std::string& path);
  ~SqliteStore() override;

  Result<std::uint64_t> put(const Checkpoint& checkpoint) override;
  Result<std::optional<CheckpointUnit>> unit(const std::string& stream, std::int64_t partition) override;
  Result<Progress> progress(const std::string& stream) override;
  Status remove(const std::string& stream) override;

  // Newest first; empty before the first checkpoint.
  Result<std::vector<Generation>> generations();
  // The hub's state; kCorrupt when it, or the number of units, is not what was put.
  Result<std::string> hub(std::int64_t generation);
  // Each unit, ordered; with an Error when its row is not what was put. Memory: one unit at a time.
  using UnitVisitor = std::function<void(CheckpointUnit unit, const Status& intact)>;
  Status each_unit(std::int64_t generation, const UnitVisitor& visit);
  // Makes `generation` the newest: what came after it is deleted.
  Status drop_newer(std::int64_t generation);
  // Whether the file's structure is sound, also where nothing is stored.
  Status pages();
  // For a file with damaged pages: puts a new one in its place, with what of `generation` is whole, and
  // returns where the old one is now (set_aside). Killed or refused by the disk at any moment, the old one
  // stays, or the next open() or put() ends it.
  Result<std::string> rebuild(std::int64_t generation, Time now);
  // The same for a file that nobody has open and of which nothing can be read: the new one has a checkpoint
  // that says so, a hub without state, lest it be taken for that of a first start.
  static Result<std::string> begin_anew(const std::string& path, Time now);

 private:
  static constexpr int kSchemaVersion = 4, kVersionWithoutRest = 3;

  SqliteStore(sqlite3* db, std::string path) : path_(std::move(path)), db_(db) {}
  Status prepare();
  Result<std::uint64_t> put_now(const Checkpoint& checkpoint);
  Result<std::string> read_hub(std::int64_t generation);
  CheckpointUnit read_unit(Statement& s, Status& intact);
  Status read_rest(std::int64_t id, std::string& state);
  Result<std::int64_t> write_state(std::string_view state);
  Status read_units(std::int64_t generation, const UnitVisitor& visit);
  static Result<std::unique_ptr<SqliteStore>> open_as_it_is(const std::string& path);
  static Status make_ready(const std::string& path, const Checkpoint& checkpoint);
  static Result<std::string> adopt_ready(const std::string& path, Time now);
  Result<std::string> reopen_ready(Time now);
  Result<std::int64_t> newest();
  Result<std::uint64_t> write(const Checkpoint& checkpoint);
  Result<std::uint64_t> carry_over(const Checkpoint& checkpoint, std::int64_t from, std::int64_t to);
  Status carry_over(const CheckpointUnit& unit, std::int64_t from, std::int64_t to);
  Status drop(const char* which, std::int64_t generation);

  const std::string path_;
  std::mutex mutex_;
  sqlite3* db_;
  std::set<std::string> removed_;  // streams, until the next put()
};

// Renames the file and what SQLite keeps beside it to PATH.damaged-TIME; returns that name.
Result<std::string> set_aside(const std::string& path, Time now);

}  // namespace driftd::app
