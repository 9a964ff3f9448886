// RecordVerdicts: what became of each record of a batch, for a gate and quarantine.failed. Filled while a PartitionEngine
// processes the batch, by its worker; reused from batch to batch.
//
// A record is invalid when a row-level check of at least gate.severity (and of gate.checks, when
// they are named) fails on it, late or not; without a gate one of at least warning. Whether the windows pass is another matter. It depends
// on the records, the configuration and the reference only, so it is the same when computed again.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "app/engine/plan.h"
#include "core/reject.h"
#include "ingest/gate.h"

namespace driftd::app {

class RecordVerdicts {
 public:
  explicit RecordVerdicts(std::shared_ptr<const StreamPlan> plan);

  void rejected(const RawRecord& record, RejectReason reason, std::string_view detail);
  void failed(std::uint32_t check, const Batch& batch, const rules::RowHits& hits);
  // Rows from this position on are judged with this reference; null: none.
  void judged_with(const stats::Reference* reference, std::int64_t position);

  // The batch with its verdicts; forgets them.
  ingest::GateBatch take(std::shared_ptr<const RawBatch> raw);

 private:
  struct Failure {
    std::int64_t position;
    std::uint32_t check;  // kReject: a reject
    double value;
    RejectReason reject;
    std::string detail;
  };
  struct Judged {
    std::int64_t position;
    const stats::Reference* reference;
  };
  static constexpr std::uint32_t kReject = UINT32_MAX;

  ingest::GateMark mark(std::uint32_t record, const Failure& first) const;

  std::shared_ptr<const StreamPlan> plan_;
  std::vector<bool> gates_;  // by check
  std::vector<Failure> failures_;
  std::vector<Judged> judged_;
  const stats::Reference* newest_ = nullptr;
};

}  // namespace driftd::app
