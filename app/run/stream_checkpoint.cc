// The checkpoint side of StreamRuntime.
#include <algorithm>
#include <utility>

#include "app/run/stream_runtime.h"

namespace driftd::app {

bool StreamRuntime::settle(Duration within) { return gate_ == nullptr || gate_->settle(within); }

void StreamRuntime::freeze() {
  dispatch_mutex_.lock();
  for (const auto& worker : workers_) worker->drain();
}

Status StreamRuntime::forward() {
  if (gate_ == nullptr) return {};
  if (left_behind_)
    return Error{ErrorCode::kUnavailable, "stream " + plan_->config.name + ": stopped before its gate had forwarded everything"};
  const Status flushed = partitions_.empty() ? Status() : gate_->flush();
  return flushed ? flushed : flushed.error().at("stream " + plan_->config.name);
}

void StreamRuntime::thaw() {
  dispatch_mutex_.unlock();
  if (gate_ != nullptr) gate_->resume();
}

void StreamRuntime::collect(Checkpoint& checkpoint) const {
  const std::string& hash = plan_->config.hash;
  for (const auto& [number, partition] : partitions_) {
    if (partition->engine->next_position() == 0 && !partition->started) continue;
    ByteWriter state;
    state.reserve(partition->room);
    partition->engine->save(state);
    if (partition->mark) append_mark(state, *partition->mark);
    partition->collected = partition->engine->next_position();
    partition->room = state.size() + state.size() / 8;
    checkpoint.units.push_back({plan_->config.name, number, *partition->collected, hash, state.take()});
  }
  ByteWriter out;
  const std::scoped_lock lock(merger_mutex_);
  if (sharing_ != nullptr) collect_shared(checkpoint);
  if (sharing_ != nullptr && !sharing_->leads) return;
  merger_->save(out);
  checkpoint.units.push_back({plan_->config.name, kMergerUnit, 0, hash, out.take()});
}

void StreamRuntime::committed() {
  if (sharing_ != nullptr) committed_shared();
  const std::scoped_lock lock(dispatch_mutex_, commit_mutex_);
  for (const auto& [number, partition] : partitions_) {
    const std::int64_t position = std::exchange(partition->collected, std::nullopt).value_or(0);
    if (position == 0) continue;
    Positions& known = positions_[number];
    known = {position, std::min(position, known.newest)};
    to_show_.insert(number);
  }
}

void StreamRuntime::commit_positions() {
  std::map<std::uint32_t, Positions> shown;
  {
    const std::scoped_lock lock(commit_mutex_);
    for (const std::uint32_t number : to_show_) shown[number] = positions_[number];
    to_show_.clear();
  }
  for (const auto& [number, position] : shown) {
    source_->commit(number, position.newest);
    source_->release(number, position.released);
  }
}

}  // namespace driftd::app
