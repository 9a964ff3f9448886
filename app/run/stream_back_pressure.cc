// The side of StreamRuntime that keeps windows which wait out of the memory.
//
// Windows wait for partitions that are behind, or cannot be read. Only reading those ends the wait, so it is the others that are held back
// once service.limits.waiting is reached: what they have stays in the source. One that was held back is fetched anew, so all are let go
// only when half of the room is there.
#include <utility>

#include "app/run/stream_runtime.h"
#include "core/log.h"

namespace driftd::app {
namespace {

constexpr Duration kTellEvery = kMinute;

}  // namespace

// Precondition: merger_mutex_ is held. True: as much waits as may.
bool StreamRuntime::watch_waiting() {
  const std::size_t most = context_.service->waiting_cap, bytes = merger_->pending_bytes();
  const bool left = sharing_ != nullptr && sharing_->left;
  waiting_full_ = bytes >= most || (bytes > 0 && left) || (waiting_full_ && bytes > most / 2);
  return waiting_full_;
}

// Of the partitions, those that are not to be read on.
std::set<std::uint32_t> StreamRuntime::ahead() {
  const std::scoped_lock lock(merger_mutex_);
  if (sharing_ == nullptr || sharing_->leads) return watch_waiting() ? merger_->ahead() : std::set<std::uint32_t>();
  std::set<std::uint32_t> out;
  for (const auto& [number, progress] : sharing_->progress) {
    if (sharing_->waiting.ahead_from != kNoTime && progress.closed_until >= sharing_->waiting.ahead_from) out.insert(number);
  }
  return out;
}

void StreamRuntime::hold_back() {
  std::set<std::uint32_t> ahead = this->ahead();
  // One that is silent must be heard when it speaks again, and one whose clock is wrong when it is right; they cost nothing until then.
  std::erase_if(ahead, [&](std::uint32_t number) {
    const auto it = partitions_.find(number);
    return it != partitions_.end() && (it->second->idle || it->second->stalled);
  });
  if (ahead == held_back_) return;
  if (!ahead.empty() && (told_held_back_ == 0 || monotonic_now() - told_held_back_ > kTellEvery)) {
    told_held_back_ = monotonic_now();
    log::info("closed windows wait for partitions that are behind, or cannot be read; those that are ahead are not read on",
              {{"stream", plan_->config.name}, {"held_back", std::to_string(ahead.size())}});
  }
  source_->hold_back(ahead);
  held_back_ = std::move(ahead);
}

// Of a shared stream, while its store does not take what is handed over.
bool StreamRuntime::hand_over_full() const {
  if (sharing_ == nullptr) return false;
  const std::scoped_lock lock(merger_mutex_);
  return sharing_->bytes > context_.service->waiting_cap;
}

}  // namespace driftd::app
