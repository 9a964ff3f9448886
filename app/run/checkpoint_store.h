// CheckpointStore: the state of all partitions and streams, with positions, in one SQLite file.
//
// put() is one transaction: after a crash either all of a checkpoint is there or none of it. Units
// carry a CRC-32C; a damaged one is an error with what it means, never a crash. The shape (put, get by
// key) is what a store for several machines needs too. Thread-safety: one call at a time (internal
// lock). Durability: WAL with synchronous=FULL, so what put() returned for survives power loss.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"

struct sqlite3;

namespace driftd::app {

struct CheckpointUnit {
  std::string stream;
  std::int64_t partition = 0;  // kMergerUnit: the stream's merger
  std::int64_t position = 0;   // next position of the source
  std::string config_hash;     // of the stream's configuration and reference
  std::string state;
};
inline constexpr std::int64_t kMergerUnit = -1;

struct Checkpoint {
  std::vector<CheckpointUnit> units;
  std::string hub;  // alerts and the findings log's position
  Time at = 0;      // wall clock
};

class CheckpointStore {
 public:
  // Opens or makes the file; the folder exists.
  static Result<std::unique_ptr<CheckpointStore>> open(const std::string& path);
  ~CheckpointStore();

  // Replaces the units that are given; others stay. Returns the bytes written.
  Result<std::uint64_t> put(const Checkpoint& checkpoint);
  Result<std::optional<CheckpointUnit>> unit(const std::string& stream, std::int64_t partition);
  Result<std::vector<CheckpointUnit>> units();
  // The newest event time in the checkpoints of the stream's partitions, and the end of the newest window
  // that one of them has closed; kNoTime: none.
  struct Progress {
    Time max_time = kNoTime;
    Time closed_until = kNoTime;
  };
  Result<Progress> progress(const std::string& stream);
  Result<std::string> hub();  // empty before the first checkpoint
  Result<Time> saved_at();    // 0 before the first checkpoint
  // Forgets a stream that is no longer configured.
  Status remove(const std::string& stream);

 private:
  explicit CheckpointStore(sqlite3* db) : db_(db) {}
  Status execute(const char* sql);
  Status write(const Checkpoint& checkpoint);

  std::mutex mutex_;
  sqlite3* db_;
};

}  // namespace driftd::app
