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
  commit_positions();
  drop(partitions);
  log::info("partitions given up in good order", {{"stream", plan_->config.name}, {"count", std::to_string(partitions.size())}});
}

void StreamRuntime::on_lost(const std::vector<std::uint32_t>& partitions) {
  log::warning("partitions lost; what they did since the newest checkpoint is dropped",
               {{"stream", plan_->config.name}, {"count", std::to_string(partitions.size())}});
  note_unsaved(partitions, Error{ErrorCode::kUnavailable, "the partitions were lost"});
  drop(partitions);
}

// What of them was judged and is in no checkpoint is judged again, which nobody may do by other checks.
void StreamRuntime::note_unsaved(const std::vector<std::uint32_t>& partitions, const Status& saved) {
  if (!saved && stop_) unsaved_ = saved.error().message;
  const std::scoped_lock lock(dispatch_mutex_);
  for (const auto& worker : workers_) worker->drain();
  const std::scoped_lock commit_lock(commit_mutex_);
  for (const std::uint32_t number : partitions) {
    const auto it = partitions_.find(number);
    if (it == partitions_.end()) continue;
    const std::int64_t position = it->second->engine->next_position();
    const auto stored = positions_.find(number);
    if (saved || (stored != positions_.end() && stored->second.newest >= position)) {
      context_.lost->saved(plan_->config.name, number, position);
    } else {
      context_.lost->lost(plan_->config.name, number, position);
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
