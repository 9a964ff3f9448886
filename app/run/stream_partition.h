// StreamPartition: a partition that a stream's runtime has, and what is known of it beside its engine.
//
// Thread-safety: the polling thread makes and drops them, under the runtime's dispatch lock; each member says who else touches it.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "app/engine/partition_engine.h"
#include "app/engine/record_verdicts.h"
#include "app/run/partition_rejects.h"
#include "app/run/worker.h"
#include "core/record_mark.h"

namespace driftd::app {

struct StreamPartition {
  std::unique_ptr<RecordVerdicts> verdicts;  // null: no gate, and failed records are not kept
  std::unique_ptr<PartitionRejects> rejects;
  std::unique_ptr<PartitionEngine> engine;  // its worker's, as the next
  Worker* worker = nullptr;
  std::optional<RecordMark> mark;                    // of the newest record
  PartitionCounters counted;                         // already in metrics
  std::vector<std::atomic<std::uint8_t>> detectors;  // states by StreamMetrics::detectors(); written by the worker, read by all
  std::atomic<std::uint64_t> sensors{0};             // likewise
  std::optional<std::int64_t> collected;             // the position in a checkpoint, between collect() and committed()
  std::size_t room = 0;                              // for its state in a checkpoint

  // Whether it is silent. Times are by the runtime's silence clock; written by the worker where nothing else is said.
  std::atomic<Duration> spoke_at{0};      // when the newest batch with a record that could be read came
  Duration advanced_at = 0;               // when its newest event time last grew
  std::atomic<Duration> heard_at{0};      // when it last spoke of times that windows should wait for (StreamRuntime::hear)
  std::atomic<bool> had_records{false};   // that could be read, since it was assigned, or in its checkpoint
  std::atomic<std::uint32_t> batches{0};  // handed to the worker and not processed
  std::atomic<bool> idle{false};          // silent: set by the polling thread; a worker then closes and tells the merger
  std::atomic<bool> stalled{false};       // it speaks, but windows do not wait for it; set by the polling thread
  // Polling thread:
  bool ended = false, started = false;  // the source said that nothing more comes; where it starts, so that 0 is a position too
  Duration spoke_when_asked = -1, heard_when_asked = -1;  // as they were when its end was asked for
};

}  // namespace driftd::app
