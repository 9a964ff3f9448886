// The side of StreamRuntime on which partitions go: in good order, or lost.
#include "app/run/stream_runtime.h"
#include "core/log.h"

namespace driftd::app {

void StreamRuntime::on_revoked(const std::vector<std::uint32_t>& partitions) {
  const Status saved = context_.checkpoint_now();
  // What a gate did not forward and is not in a checkpoint either is read again by whoever has it next; but
  // no later checkpoint of this process may say otherwise.
  if (!saved && gate_ != nullptr && stop_) left_behind_ = true;
  note_unsaved(partitions, saved);
  commit_positions(true);
  drop(partitions);
  log::info("partitions given up in good order", {{"stream", plan_->config.name}, {"count", std::to_string(partitions.size())}});
}

void StreamRuntime::on_lost(const std::vector<std::uint32_t>& partitions) {
  log::warning("partitions lost; what they did since the newest checkpoint is dropped",
               {{"stream", plan_->config.name}, {"count", std::to_string(partitions.size())}});
  note_unsaved(partitions, Error{ErrorCode::kUnavailable, "the partitions were lost"});
  drop(partitions);
}

// What of them was judged and is in no checkpoint is judged again, which nobody may do by other checks. Nor what the merger had from a
// partition that was lost, and goes on from before that.
void StreamRuntime::note_unsaved(const std::vector<std::uint32_t>& partitions, const Status& saved) {
  if (!stop_) return;
  const std::scoped_lock lock(dispatch_mutex_);
  for (const auto& worker : workers_) worker->drain();
  const std::scoped_lock merger_lock(merger_mutex_);
  for (const std::uint32_t number : partitions) {
    const auto it = partitions_.find(number);
    if (it == partitions_.end()) continue;
    if (!saved) unsaved_ = saved.error().message;
    if (saved && it->second->engine->closed_until() < merger_->closed_by(number)) {
      unsaved_ = "partition " + std::to_string(number) + " has not come as far again as it was";
    }
  }
}

void StreamRuntime::drop(const std::vector<std::uint32_t>& partitions) {
  const std::scoped_lock lock(dispatch_mutex_);
  for (const auto& worker : workers_) worker->drain();
  if (gate_ != nullptr) gate_->dropped(partitions);
  for (const std::uint32_t number : partitions) partitions_.erase(number);
  {
    const std::scoped_lock commit_lock(commit_mutex_);
    for (const std::uint32_t number : partitions) {
      positions_.erase(number);
      to_show_.erase(number);
    }
  }
  if (stop_) return;
  // Until the group has settled, windows are not judged without these: mostly they come back.
  given_up_at_ = monotonic_now();
  const std::scoped_lock merger_lock(merger_mutex_);
  if (sharing_ != nullptr) {
    for (const std::uint32_t number : partitions) {
      sharing_->mine.erase(number);
      sharing_->progress.erase(number);
      sharing_->untold.erase(number);
      sharing_->told.erase(number);
      sharing_->by_clock.erase(number);
      // What is in no checkpoint is computed again by whoever has it next, and by the clock perhaps otherwise.
      std::erase_if(sharing_->outputs, [&](const HandedOver& o) { return o.partition == number; });
    }
    forget({});
    sharing_->settling = true;
  }
  merger_->hold(true);
}

}  // namespace driftd::app
