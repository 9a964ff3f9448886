// CheckpointStore: where the state of all partitions and streams is kept, with positions.
//
// A checkpoint is put as a whole or not at all, and what unit() gives is always of the newest one. The shape
// (put, get by stream and partition) is that of a store which several instances share, too: there an
// implementation is made with the epoch of its assignment and put() of an older epoch is refused
// (kUnavailable), so that an instance that was taken for dead cannot overwrite its successor. The embedded
// store (app/run/sqlite_store.h) has one writer, which data_dir/lock sees to.
//
// Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/time.h"

namespace driftd::app {

struct CheckpointUnit {
  std::string stream;
  std::int64_t partition = 0;  // kMergerUnit: the stream's merger
  std::int64_t position = 0;   // next position of the source
  std::string config_hash;     // of the stream's configuration and reference
  std::string state;
  bool damaged = false;  // `state` is not what was put; the position can still be believed
};
inline constexpr std::int64_t kMergerUnit = -1;

struct Checkpoint {
  std::vector<CheckpointUnit> units;
  std::string hub;  // alerts and the findings log's position
  Time at = 0;      // wall clock
};

class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // The newest checkpoint from now on: these units, and of the others what the one before it had. Returns
  // the bytes of what was given. Durable when it returns.
  virtual Result<std::uint64_t> put(const Checkpoint& checkpoint) = 0;
  // nullopt: there is none. kCorrupt: it is damaged, its position too.
  virtual Result<std::optional<CheckpointUnit>> unit(const std::string& stream, std::int64_t partition) = 0;
  // The newest event time in the checkpoints of the stream's partitions, and the end of the newest window
  // that one of them has closed; kNoTime: none.
  struct Progress {
    Time max_time = kNoTime;
    Time closed_until = kNoTime;
  };
  virtual Result<Progress> progress(const std::string& stream) = 0;
  // A stream that is no longer configured: it has no units from now on, nor in the next checkpoint.
  virtual Status remove(const std::string& stream) = 0;
};

}  // namespace driftd::app
