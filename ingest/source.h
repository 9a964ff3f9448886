// Source: where raw records come from. One poll loop (one thread, in app/) drives a source; none of
// its methods is called concurrently but status().
//
// A source is made of partitions, each an ordered sequence of records with growing positions.
// Positions belong to driftd's own store: on assignment the handler says where to go on; commit()
// only shows progress to others, and release() says what driftd will not ask for again. A source never loses its place by itself: a server
// that is away is a status, not an error, and it reconnects with jittered back-off.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/raw_batch.h"
#include "core/record_mark.h"
#include "core/registry.h"
#include "core/result.h"
#include "core/telemetry.h"
#include "ingest/gate.h"

namespace driftd::ingest {

// Told about partitions from inside Source::poll (or open/close), on the polling thread.
class SourceHandler {
 public:
  virtual ~SourceHandler() = default;
  // A partition is ours from now on. Returns the position to go on from; nullopt when driftd has
  // none yet (the source starts by its own `start` setting).
  virtual std::optional<std::int64_t> on_assigned(std::uint32_t partition) = 0;
  // Of one that on_assigned gave a position: the newest record before it, where that is known, so that a source whose logs may be
  // deleted and made anew under their names can tell.
  virtual std::optional<RecordMark> mark_of(std::uint32_t /*partition*/) { return std::nullopt; }
  // Partitions are taken away in good order: everything read from them must be checkpointed before
  // this returns.
  virtual void on_revoked(const std::vector<std::uint32_t>& partitions) = 0;
  // The position that on_assigned gave, and all that is known with it, is of another log (mark_of): to be forgotten.
  virtual void on_moved(std::uint32_t /*partition*/) {}
  // An assigned partition of which driftd has no position starts at this one. `amid`: somebody has read
  // those before it, and of what they made of them nothing is known.
  virtual void on_start(std::uint32_t /*partition*/, std::int64_t /*position*/, bool /*amid*/) {}
  // Others have read an assigned partition on to this position, which is beyond the one that on_assigned gave, while it was not
  // ours. True: what is known of it is dropped, and it goes on from there. False: our position holds whatever others did.
  virtual bool on_elsewhere(std::uint32_t /*partition*/, std::int64_t /*position*/) { return false; }
  // What was assigned and taken away is all, for now: the group has settled.
  virtual void on_settled() {}
  // Partitions were lost: their state after the newest checkpoint must be dropped, nothing committed.
  virtual void on_lost(const std::vector<std::uint32_t>& partitions) = 0;
};

struct PartitionStatus {
  std::uint32_t partition = 0;
  std::optional<std::int64_t> lag;  // records behind the newest one; nullopt when not known
};

struct SourceStatus {
  bool connected = false;  // the server answers (files: readable)
  bool assigned = false;   // partitions are ours (true also when the group gave us none)
  bool full = false;       // what comes has no room before something here goes on, and is refused
  std::string detail;      // for people, when not connected: what, where, why
  std::vector<PartitionStatus> partitions;
  std::string missing;  // what the configuration names and the server does not have, with what to do; empty: nothing

  bool ready() const { return connected && assigned && missing.empty(); }
};

class Source {
 public:
  virtual ~Source() = default;

  // Starts connecting; does not wait for the server. An Error is a configuration that cannot work.
  virtual Status open(SourceHandler& handler) = 0;
  // Fills `out` with records of one partition (cleared first) and returns true, or returns false
  // when there were none until the deadline. An Error is fatal for the source (fenced by another
  // member with the same id, journal damaged), with what to do in its message.
  virtual Result<bool> poll(Deadline deadline, RawBatch& out) = 0;
  // Everything before `next_position` of the partition is durable in driftd's newest checkpoint: show it to
  // the group. Never called for partitions that are not assigned.
  virtual void commit(std::uint32_t /*partition*/, std::int64_t /*next_position*/) {}
  // The same in every checkpoint that driftd may fall back to: what is before it can be deleted.
  virtual void release(std::uint32_t /*partition*/, std::int64_t /*position*/) {}
  // Back-pressure: while paused, poll() keeps the session alive and returns no records.
  virtual void pause(bool paused) = 0;
  // Of these partitions, and no others, no record is handed over until the next call; the others are read on. What poll() does not hand
  // over is not lost, and lag() has it. Sources of one partition have nothing to hold back.
  virtual void hold_back(const std::set<std::uint32_t>& /*partitions*/) {}
  // Asks the server, which may take a second (Kafka: and fetch.wait.max.ms), of which of these assigned partitions all has been handed
  // over: what status() says of it may be old. Of those that are in `before` too: or all that there was when they were asked of last. For
  // where records come without a pause there is always one more. nullopt: it does not answer. Between two calls of poll().
  virtual std::optional<std::set<std::uint32_t>> at_end(const std::set<std::uint32_t>& partitions,
                                                        const std::set<std::uint32_t>& /*before*/) {
    return partitions;
  }
  // True when there will never be another record (files at their end).
  virtual bool finished() const { return false; }
  // Forwards this source's records (config: `gate`); call once, after open() and before poll().
  // From then on the gate commits positions, not commit().
  virtual Result<std::unique_ptr<Gate>> make_gate(GateSettings) { return Error{ErrorCode::kInvalidArgument, "a gate needs `from: kafka`"}; }
  // Leaves the group in good order (calls on_revoked first).
  virtual void close() = 0;
  // Thread-safe.
  virtual SourceStatus status() const = 0;
};

struct SourceContext {
  std::string stream;                      // for logs, metrics, file names
  std::string data_dir;                    // the stream's own folder for journals; exists
  std::uint64_t journal_cap = 1ULL << 30;  // bytes; service.limits.journal
  Telemetry* telemetry = nullptr;
  const Clock* clock = nullptr;
  // For sources that must know the sensor before decoding (HTTP): the JSON pointer or column name.
  std::string sensor_path;
  // Runs what may wait for a server that is away on a thread of its own, whatever becomes of the source; null: at once.
  std::function<void(std::function<void()>)> later;
  // For `driftd check`: the factory adds everything that is wrong here, each at its place, secret files
  // that cannot be read among it, and makes nothing: it returns null, or the first problem.
  ErrorList* problems = nullptr;
};

using SourceFactory = std::function<Result<std::unique_ptr<Source>>(const Params& params, const SourceContext& context)>;
using SourceRegistry = Registry<SourceFactory>;

// All sources of ingest/sources.def.
const SourceRegistry& sources();

}  // namespace driftd::ingest
