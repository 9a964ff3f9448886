// StreamEngine: all partitions of one stream and their merger, on one thread. What replay, reference
// building, benchmarks and tests run; app/run/stream_runtime drives the same parts with workers.
#pragma once

#include <map>
#include <memory>

#include "app/engine/merger.h"
#include "app/engine/partition_engine.h"

namespace driftd::app {

class StreamEngine final : private OutputSink {
 public:
  // `rejects`, `observer` (may be null) outlive the engine.
  static Result<std::unique_ptr<StreamEngine>> make(std::shared_ptr<const StreamPlan> plan, RejectSink& rejects, VerdictObserver* observer,
                                                    Merger::Sink sink);

  // Windows that start from edition.from on are judged against its reference; before any record.
  Status adopt(const PlanEdition& edition);

  // The partitions that windows wait for; else every partition that has had a record.
  void set_partitions(const std::vector<std::uint32_t>& partitions) { merger_->set_partitions(partitions); }

  // While held no window goes out: partitions are read one after the other, and not all are known yet.
  void hold(bool held) { merger_->hold(held); }
  void set_window_tap(std::function<void(const stats::Window&)> tap) { merger_->set_window_tap(std::move(tap)); }

  Status process(const RawBatch& raw);
  // The engine of a partition, made when new.
  Result<PartitionEngine*> partition(std::uint32_t number);
  void process_rows(PartitionEngine& engine, const Batch& batch) { engine.process_rows(batch, *this); }
  // The partition has been silent for `silent`; as the service does when windows.idle has passed.
  void idle(std::uint32_t partition, Duration silent);
  // An idle partition has records again.
  void wake(std::uint32_t partition) { merger_->set_idle(partition, false); }
  // The partition's input has ended; windows no longer wait for it.
  void finish(std::uint32_t partition);
  // All inputs have ended.
  void finish();

  PartitionCounters counters() const;

 private:
  StreamEngine(std::shared_ptr<const StreamPlan> plan, RejectSink& rejects, std::unique_ptr<Merger> merger)
      : plan_(std::move(plan)), rejects_(rejects), merger_(std::move(merger)) {}
  void take(PartitionOutput output) override { late_for_stream_ += merger_->take(std::move(output)); }

  std::shared_ptr<const StreamPlan> plan_;
  RejectSink& rejects_;
  std::unique_ptr<Merger> merger_;
  std::uint64_t late_for_stream_ = 0;
  std::vector<PlanEdition> adopted_;
  std::map<std::uint32_t, std::unique_ptr<PartitionEngine>> partitions_;
};

}  // namespace driftd::app
