// The side of StreamRuntime that finds out which partitions windows should not wait for.
//
// A backlog is not a silence, nor is a server that is away: only of a partition of which all has been read is it known that it has nothing
// to say. How far others are says nothing of it, as they may have more to read all the time.
#include <algorithm>
#include <utility>

#include "app/run/stream_runtime.h"

namespace driftd::app {
namespace {

constexpr Duration kFirstRecordWithin = 5 * kSecond;
constexpr Duration kAskEndEvery = kSecond;
constexpr Duration kServerAwayFor = 5 * kSecond;

}  // namespace

// Worker. A sensor of which nothing can be read is as silent as one that sends nothing: windows do not wait for it. Nor do those of
// the stream for one that speaks, but whose clock stands still, was set back, or is so far behind what was judged that they would wait for
// longer than for a silent one; its own windows go on by its own times.
void StreamRuntime::hear(std::uint32_t number, Partition& partition, Duration came_at, Time newest_before) {
  if (partition.engine->counters().accepted == partition.counted.accepted) return;
  const WindowConfig& windows = plan_->config.windows;
  const Duration patience = windows.idle + windows.lateness + windows.slide;
  const bool woke = came_at - partition.spoke_at.exchange(came_at) >= windows.idle;  // it has time to catch up
  partition.had_records = true;
  const Time newest = partition.engine->max_time();
  if (newest != newest_before) partition.advanced_at = came_at;
  const bool moves = came_at - partition.advanced_at <= windows.lateness + windows.slide;
  const Time others = std::min(others_at(), context_.clock->now());  // one that is ahead of the time leaves none behind
  if (!woke && !(moves && (others == kNoTime || newest >= others - patience))) return;
  partition.heard_at = came_at;
  if (!partition.stalled.exchange(false)) return;
  const std::scoped_lock lock(merger_mutex_);
  set_idle(number, false);
}

// Up to where windows are judged; before the first one, the oldest that waits, as others may only be faster.
Time StreamRuntime::others_at() const {
  if (const Time judged = judged_until_; judged != kNoTime) return judged;
  const std::scoped_lock lock(merger_mutex_);
  return sharing_ != nullptr && !sharing_->leads ? sharing_->waiting.until : merger_->oldest_pending();
}

void StreamRuntime::watch_silence() {
  const Duration now = monotonic_now();
  const ingest::SourceStatus status = source_->status();
  // A journal that is full of what is held back waits for windows, which may wait for a silent partition: that one would never be known to
  // be so.
  const bool listens = status.full ? !held_back_.empty() : status.connected;
  silence_.look(now, listens);
  if (!listens) return;
  std::set<std::uint32_t> unread;  // what there is in these is not known yet
  for (const auto& p : status.partitions) {
    if (!p.lag) unread.insert(p.partition);
  }
  std::vector<Quiet> found = quiet(now, unread);
  const std::set<std::uint32_t> at_end = at_end_of(found);
  std::erase_if(found,
                [&](const Quiet& q) { return !(q.speaks ? q.partition->stalled : q.partition->idle) && at_end.count(q.number) == 0; });
  close_silent(found);
}

// Only this thread changes which partitions there are, so that the lock is not held while the server is asked of them.
std::vector<StreamRuntime::Quiet> StreamRuntime::quiet(Duration now, const std::set<std::uint32_t>& unread) const {
  std::vector<Quiet> out;
  for (const auto& [number, partition] : partitions_) {
    if (partition->ended) continue;
    const Duration since = silence_.silent_for(partition->spoke_at, now);
    // Windows wait for a partition that was never heard of only until it has had time to speak.
    const bool empty = !partition->had_records && unread.count(number) == 0;
    const Duration idle = empty ? std::min(plan_->config.windows.idle, kFirstRecordWithin) : plan_->config.windows.idle;
    if (since >= idle) {
      if (partition->batches == 0) out.push_back({number, partition.get(), since, false, partition->heard_at});
    } else if (const Duration heard_at = partition->heard_at;
               !partition->idle && silence_.silent_for(heard_at, now) >= plan_->config.windows.idle) {
      out.push_back({number, partition.get(), since, true, heard_at});
    }
  }
  return out;
}

// That nothing came does not mean that there is nothing: while a group settles, or when the one broker that has the partition is slow,
// nothing is fetched, and what is known of its end is old.
std::set<std::uint32_t> StreamRuntime::at_end_of(const std::vector<Quiet>& partitions) {
  std::set<std::uint32_t> asked, before;
  for (const Quiet& q : partitions) {
    const Partition& p = *q.partition;
    if (q.speaks ? p.stalled : p.idle) continue;
    asked.insert(q.number);
    // As quiet as it is now: what has been read since then was nothing that could be read, or nothing to wait for.
    if (q.speaks ? p.heard_when_asked == p.heard_at : p.spoke_when_asked == p.spoke_at) before.insert(q.number);
  }
  if (asked.empty() || monotonic_now() < ask_end_at_) return {};
  const auto at_end = source_->at_end(asked, before);
  ask_end_at_ = monotonic_now() + (at_end ? kAskEndEvery : kServerAwayFor);
  if (!at_end) return {};
  for (const std::uint32_t number : asked) {
    Partition& partition = *partitions_.at(number);
    partition.spoke_when_asked = partition.spoke_at;
    partition.heard_when_asked = partition.heard_at;
  }
  return *at_end;
}

void StreamRuntime::close_silent(const std::vector<Quiet>& partitions) {
  std::map<Worker*, std::vector<Quiet>> silent;  // one task a worker, for partitions are more than its queue holds
  for (const Quiet& q : partitions) {
    if (!q.speaks) silent[q.partition->worker].push_back(q);
  }
  const std::scoped_lock lock(dispatch_mutex_);
  for (auto& [worker, quiet] : silent) {
    for (const Quiet& q : quiet) q.partition->idle = true;
    worker->push(
        [this, quiet = std::move(quiet)] {
          for (const Quiet& q : quiet) close_idle(q.number, *q.partition, q.since);
        },
        Deadline::after(0));
  }
  const std::scoped_lock merger_lock(merger_mutex_);
  for (const Quiet& q : partitions) {
    if (!q.speaks) continue;
    q.partition->stalled = true;
    if (q.partition->heard_at == q.heard_at) {
      set_idle(q.number, true);
    } else {  // heard of just now
      q.partition->stalled = false;
      set_idle(q.number, false);
    }
  }
}

// Worker. First the partition's windows close and their parts go to the merger; only when it has nothing
// left to hand over do the stream's windows stop waiting for it.
void StreamRuntime::close_idle(std::uint32_t number, Partition& partition, Duration silent) {
  if (!partition.idle) return;  // it has spoken since, and its records are behind this in the queue
  Time frontier = kNoTime;
  {
    const std::scoped_lock lock(merger_mutex_);
    frontier = sharing_ != nullptr && !sharing_->leads ? sharing_->waiting.until : merger_->waiting_until();
  }
  const bool handed_over = partition.engine->advance_idle(silent, frontier, *this);
  note_detectors(partition);
  if (!handed_over) return;
  const std::scoped_lock lock(merger_mutex_);
  if (partition.idle) set_idle(number, true);
}

}  // namespace driftd::app
