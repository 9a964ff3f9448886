// Gate: forwards the records of a source to other topics, each with its verdict and exactly once.
//
// What is handed over with add() waits in memory until a transaction has carried it, together with
// the position behind it, to the server. A transaction that fails is aborted and tried again with
// the same records; what an earlier process has forwarded already (the position says so) is passed
// over. So a reader of committed records sees each record once, in the order of its partition.
//
// Thread-safety: none, but for expire() and disown(). One thread in app/ drives work(); all waiting happens
// there.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/raw_batch.h"
#include "core/time.h"

namespace driftd::ingest {

// Why one record is not valid.
struct GateMark {
  std::uint32_t record = 0;  // place in the batch's records
  bool rejected = false;     // it could not be decoded; else checks failed
  std::string check;         // the first that failed, in the configuration's order
  std::string field;         // of that check; may be empty
  std::string reason;        // stable word: of the check, or of the reject
  std::string detail;        // for people; may be empty
  std::string checks;        // all that failed, with commas; empty when one did
};

// From this record on, records were judged with this reference.
struct GateReference {
  std::uint32_t from = 0;  // place in the batch's records
  std::string name;        // "pumps@3"; empty: none
};

struct GateBatch {
  std::shared_ptr<const RawBatch> raw;    // as the gate's own source handed it over
  std::vector<GateMark> marks;            // by record, each at most once; the others are valid
  std::vector<GateReference> references;  // by record

  // What it counts for against gate.buffer.
  std::size_t bytes() const;
};

struct GateSettings {
  std::string valid;             // topic; empty: valid records are not forwarded
  std::string invalid;           // topic of what failed and of rejects
  std::string transactional_id;  // empty: one of the stream's own, kept in its folder
  Duration commit_every = 100 * kMillisecond;
};

class Gate {
 public:
  virtual ~Gate() = default;

  virtual void add(GateBatch batch) = 0;
  // The partition is ours, and its records will come from `position` on. Up to where they were
  // forwarded before is asked of the server.
  virtual void assigned(std::uint32_t partition, std::int64_t position) = 0;
  // What waits of these partitions is dropped; another one forwards it. Once for each expire().
  virtual void dropped(const std::vector<std::uint32_t>& partitions) = 0;
  // Partitions are about to go: what is in the open transaction may not be committed under a
  // membership that begins later, and none begins before dropped() says which. Thread-safe; called before the source gives the
  // partitions up.
  virtual void expire() = 0;
  // It is left to itself, as a call does not return: no metric is touched any more. Thread-safe.
  virtual void disown() = 0;

  // Goes as far as it can without waiting for more records. `all`: commits at once. Blocks for a few seconds when the server does not
  // answer, but for as long as the server is away when that goes in the middle of a question whose client library sets it no limit.
  virtual void work(bool all) = 0;
  // How long work() has nothing to do if nothing is added.
  virtual Duration rest() const = 0;
  // Everything that was added is forwarded and its position committed.
  virtual bool idle() const = 0;
  virtual bool connected() const = 0;
  virtual std::size_t bytes() const = 0;           // of what waits
  virtual const std::string& trouble() const = 0;  // what is wrong now, for people; empty: nothing
};

}  // namespace driftd::ingest
