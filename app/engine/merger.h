// Merger: joins what the partitions of a stream hand over into the stream's findings.
//
// Windows of wider segments are merged from the partitions' parts in partition order and judged when
// every partition that is not idle has closed them (one that has rows to hand over is never idle); with them all findings on sensors and
// records of that window go out, sorted. So what comes out is the same for any timing of the partitions. Thread-safety: none; the caller
// holds the stream's merger lock.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "app/engine/editions.h"
#include "app/engine/partition_output.h"

namespace driftd::app {

// All findings of a stream that belong to one window end, in the order of the findings log.
struct ClosedWindow {
  std::string stream;
  Time end = kNoTime;
  std::uint64_t late = 0;     // records too late, since the window before
  std::uint32_t windows = 0;  // wide windows judged
  std::vector<Finding> findings;
  std::vector<std::uint64_t> judged;  // segments that had a window (segment_id), in no order
};

class Merger {
 public:
  using Sink = std::function<void(ClosedWindow)>;

  static Result<std::unique_ptr<Merger>> make(std::shared_ptr<const StreamPlan> plan, VerdictObserver* observer, Sink sink);

  // As PartitionEngine::adopt; the same for all partitions and the merger, before any goes on.
  Status adopt(const PlanEdition& edition) { return editions_.adopt(edition); }

  // The partitions that windows must wait for, from now on. How far the others came is remembered: one
  // that comes back is computed again from its checkpoint, and take() knows what it had already.
  void set_partitions(const std::vector<std::uint32_t>& partitions);
  // A partition that has no new records is not waited for. Precondition for true: it has no rows in
  // windows that are open (PartitionEngine::advance_idle), or they would miss the stream's windows.
  void set_idle(std::uint32_t partition, bool idle);

  // What the partition handed over before is passed over: it was computed again, and is the same.
  // Returns how many of its rows came too late for the stream's window, which was judged without them.
  std::uint64_t take(PartitionOutput output);
  // The same of what PartitionOutput::save() wrote.
  Result<std::uint64_t> take_stored(std::string_view output);
  // While held nothing is emitted: which partitions are ours is not known yet, or changing.
  void hold(bool held);
  bool held() const { return held_; }

  // Sees every wide window that is judged; for building references.
  void set_window_tap(std::function<void(const stats::Window&)> tap) { tap_ = std::move(tap); }

  // The newest window end that some partition has closed and the stream has not; kNoTime: none.
  Time waiting_until() const { return pending_.empty() ? kNoTime : pending_.rbegin()->first; }
  // Event time up to which the stream is complete; kNoTime before the first window.
  Time complete_until() const { return emitted_until_; }
  // The end of the oldest window that waits for a partition; kNoTime: none does.
  Time oldest_pending() const { return pending_.empty() ? kNoTime : pending_.begin()->first; }
  // Memory of what waits, about. To read on the partitions that are ahead() makes it more; reading the others makes it less, in the end.
  std::size_t pending_bytes() const { return pending_bytes_; }
  // Of the partitions that windows wait for, those that have closed the oldest window that waits.
  std::set<std::uint32_t> ahead() const;
  // What a partition has closed; kNoTime: nothing that is known here.
  Time closed_by(std::uint32_t partition) const;
  // What all of these that are not idle have closed; the end of time when there is none.
  Time closed_by(const std::set<std::uint32_t>& partitions) const;
  // complete_until() of a merger that wrote `state` with save(); kNoTime when that is nothing of one.
  static Time complete_until(std::string_view state);

  void save(ByteWriter& out) const;
  Status load(ByteReader& in);

 private:
  struct Progress {
    Time closed_until = kNoTime;
    bool idle = false;
    bool away = false;  // given up or lost

    bool has_closed(Time end) const { return end != kNoTime && closed_until != kNoTime && end <= closed_until; }
  };
  using SegmentKey = std::pair<std::uint32_t, std::string>;  // level, value

  Merger(std::shared_ptr<const StreamPlan> plan, Editions editions, VerdictObserver* observer, Sink sink);

  void wait(PartitionOutput output);
  void emit_complete();
  std::uint64_t rows_of(const PartitionOutput& output) const;
  void emit(Time end, std::map<std::uint32_t, PartitionOutput> outputs, bool idle);
  void judge(const SegmentKey& key, const stats::Block& block, Time end, bool across, const char* closed_by, ClosedWindow& closed);
  void judge_all(Time end, const char* closed_by, ClosedWindow& closed);

  std::shared_ptr<const StreamPlan> plan_;
  Editions editions_;
  VerdictObserver* observer_;
  Sink sink_;

  std::map<std::uint32_t, Progress> partitions_;
  std::map<Time, std::map<std::uint32_t, PartitionOutput>> pending_;  // by window end, partition
  std::size_t pending_bytes_ = 0;                                     // of them
  std::map<Time, std::map<SegmentKey, stats::Block>> recent_;         // merged panes that sliding windows need
  std::vector<Finding> left_over_;                                    // of windows that were judged before the partition closed them
  std::uint64_t late_ = 0;
  Time emitted_until_ = kNoTime;
  Time warm_from_ = kNoTime;  // the latest of the partitions': windows that start before it are partial
  bool held_ = false;
  std::function<void(const stats::Window&)> tap_;
};

}  // namespace driftd::app
