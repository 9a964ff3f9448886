// CheckpointStore: where the state of all partitions and streams is kept, with positions.
//
// A checkpoint is put as a whole or not at all, and what unit() gives is always of the newest one. The embedded
// store (app/run/sqlite_store.h) has one writer, which data_dir/lock sees to; in one that several driftd share
// (app/run/mysql_store.h) unit() takes the partition over, and what another one put of it afterwards is refused.
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
// CRC-32C of all of it but `damaged`; docs/FORMATS.md.
std::uint32_t crc_of(const CheckpointUnit& unit);
inline constexpr std::int64_t kMergerUnit = -1;
inline constexpr std::int64_t kAlertsUnit = -2;  // of a shared stream: its alerts, behind its merger
inline constexpr std::int64_t kHubUnit = -3;     // in a shared store, of stream "": a driftd's hub

// Of streams that several driftd share: what a partition handed over for the stream's windows, on its way to
// the driftd that judges them.
struct HandedOver {
  std::string stream;
  std::uint32_t partition = 0;
  Time end = kNoTime;       // of the base window
  std::string config_hash;  // as of a unit
  std::string reference;    // hash of what its bins are of; empty: none
  std::string output;       // PartitionOutput::save
};
struct HandOverProgress {
  std::string stream;
  std::uint32_t partition = 0;
  std::string config_hash;
  Time closed_until = kNoTime;
  Time warm_from = kNoTime;
  bool idle = false;
  bool operator==(const HandOverProgress&) const = default;
};
struct HandOver {
  std::vector<HandedOver> outputs;
  std::vector<HandOverProgress> progress;
};

struct Checkpoint {
  std::vector<CheckpointUnit> units;
  std::string hub;  // alerts and the findings log's position
  Time at = 0;      // wall clock
  // A shared store only:
  HandOver handed_over = {};
  std::vector<std::int64_t> taken = {};  // ids of outputs that are in a merger among the units
};

class CheckpointStore {
 public:
  virtual ~CheckpointStore() = default;

  // The newest checkpoint from now on: these units, and of the others what the one before it had. Returns
  // the bytes of what was given. Durable when it returns.
  virtual Result<std::uint64_t> put(const Checkpoint& checkpoint) = 0;
  // nullopt: there is none. kCorrupt: it is damaged, its position too. kUnavailable: it cannot be told now.
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
