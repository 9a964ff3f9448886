#include "app/engine/stream_engine.h"

namespace driftd::app {

Result<std::unique_ptr<StreamEngine>> StreamEngine::make(std::shared_ptr<const StreamPlan> plan, RejectSink& rejects,
                                                         VerdictObserver* observer, Merger::Sink sink) {
  auto merger = Merger::make(plan, observer, std::move(sink));
  if (!merger) return merger.error();
  return std::unique_ptr<StreamEngine>(new StreamEngine(std::move(plan), rejects, std::move(*merger)));
}

Status StreamEngine::adopt(const PlanEdition& edition) {
  adopted_.push_back(edition);
  for (const auto& [number, engine] : partitions_) {
    if (const Status s = engine->adopt(edition); !s) return s;
  }
  return merger_->adopt(edition);
}

Result<PartitionEngine*> StreamEngine::partition(std::uint32_t number) {
  std::unique_ptr<PartitionEngine>& engine = partitions_[number];
  if (engine == nullptr) {
    auto made = PartitionEngine::make(plan_, number, rejects_);
    if (!made) return made.error();
    engine = std::move(*made);
    for (const PlanEdition& edition : adopted_) {
      if (const Status s = engine->adopt(edition); !s) return s.error();
    }
  }
  return engine.get();
}

Status StreamEngine::process(const RawBatch& raw) {
  const auto engine = partition(raw.partition);
  if (!engine) return engine.error();
  (*engine)->process(raw, *this);
  return {};
}

void StreamEngine::idle(std::uint32_t partition, Duration silent) {
  const auto it = partitions_.find(partition);
  const bool done = it == partitions_.end() || it->second->advance_idle(silent, merger_->waiting_until(), *this);
  if (done) merger_->set_idle(partition, true);
}

void StreamEngine::finish(std::uint32_t partition) {
  const auto it = partitions_.find(partition);
  if (it != partitions_.end()) it->second->finish(*this);
  merger_->set_idle(partition, true);
}

void StreamEngine::finish() {
  // All partitions close up to the newest record of any of them, so that the last windows are whole.
  Time newest = kNoTime;
  for (const auto& [number, engine] : partitions_) newest = std::max(newest, engine->max_time());
  if (newest == kNoTime) return;
  const Duration slide = plan_->config.windows.slide;
  for (const auto& [number, engine] : partitions_) engine->advance(floor_to(newest, slide) + slide, "end", *this);
}

PartitionCounters StreamEngine::counters() const {
  PartitionCounters sum;
  sum.late = late_for_stream_;
  for (const auto& [number, engine] : partitions_) {
    sum.accepted += engine->counters().accepted;
    sum.late += engine->counters().late;
    sum.duplicate += engine->counters().duplicate;
  }
  return sum;
}

}  // namespace driftd::app
