// Whether a stored checkpoint is whole: checksums, and that its states load. What a start and
// `driftd store verify` do.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "app/config/config.h"
#include "app/engine/editions.h"
#include "app/run/mysql_store.h"
#include "app/run/sqlite_store.h"
#include "stats/reference_store.h"

namespace driftd::app {

// Tries whether states load, in engines that are thrown away. Thread-safety: none.
class StateLoader {
 public:
  // States of this stream are loaded from now on; those of other streams are taken for good.
  void know(const std::string& stream, std::vector<PlanEdition> plans) { plans_[stream] = std::move(plans); }
  // Ok too for a unit of a stream or a configuration that is not known: nobody will load it.
  Status try_unit(const CheckpointUnit& unit) const;

 private:
  std::map<std::string, std::vector<PlanEdition>> plans_;
};

// The plans of a stream by the references that were promoted for it; `references` may be null: none.
Result<std::vector<PlanEdition>> plans_for(const StreamConfig& stream, stats::ReferenceStore* references, bool all_findings);

struct CheckedPart {
  std::string stream;          // empty: the hub
  std::int64_t partition = 0;  // kMergerUnit: the merger
  std::int64_t position = 0;
  std::string config_hash;
  std::uint64_t bytes = 0;
  Time newest = kNoTime;        // event time; partitions
  Time closed_until = kNoTime;  // partitions: end of the newest window closed; mergers: complete until
  std::string owner;            // in a shared store: the instance id of the driftd that has it
  Status intact;
  std::string name() const;  // "stream S, partition N", "stream S, merger", "stream S, alerts" or "alerts"
};

struct CheckedGeneration {
  Generation generation;
  std::vector<CheckedPart> parts;  // the hub first
  Status readable;                 // an Error: pages of the file are damaged, and parts may be missing

  std::size_t damaged() const;
  // "stream plant, partition 3: its checksum does not match; ...", three of them at most
  std::string what_is_damaged() const;
};

CheckedGeneration check_generation(SqliteStore& store, const Generation& generation, const StateLoader& loader);
// Of a shared store, which has one checkpoint: what is in it now.
CheckedGeneration check_shared(MysqlStore& store, Time now, const StateLoader& loader);

// The index of the one to start from: the one with the least damage, the newest of several. Precondition: not empty.
std::size_t best_of(const std::vector<CheckedGeneration>& checked);

}  // namespace driftd::app
