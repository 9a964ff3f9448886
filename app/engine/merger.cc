#include "app/engine/merger.h"

#include <algorithm>
#include <limits>

#include "core/segment_id.h"

namespace driftd::app {

Result<std::unique_ptr<Merger>> Merger::make(std::shared_ptr<const StreamPlan> plan, VerdictObserver* observer, Sink sink) {
  auto editions = Editions::make(plan);
  if (!editions) return editions.error();
  return std::unique_ptr<Merger>(new Merger(std::move(plan), std::move(*editions), observer, std::move(sink)));
}

Merger::Merger(std::shared_ptr<const StreamPlan> plan, Editions editions, VerdictObserver* observer, Sink sink)
    : plan_(std::move(plan)), editions_(std::move(editions)), observer_(observer), sink_(std::move(sink)) {}

void Merger::set_partitions(const std::vector<std::uint32_t>& partitions) {
  for (auto& [id, progress] : partitions_) progress.away = true;
  for (const std::uint32_t p : partitions) {
    Progress& progress = partitions_[p];
    progress.away = false;
    progress.idle = false;
  }
  emit_complete();
}

void Merger::set_idle(std::uint32_t partition, bool idle) {
  const auto it = partitions_.find(partition);
  if (it == partitions_.end() || it->second.idle == idle) return;
  it->second.idle = idle;
  emit_complete();
}

std::uint64_t Merger::take(PartitionOutput output) {
  std::uint64_t too_late = 0;
  Progress& progress = partitions_[output.partition];
  if (progress.has_closed(output.end)) return 0;
  warm_from_ = std::max(warm_from_, output.warm_from);
  progress.closed_until = std::max(progress.closed_until, output.closed_until);
  if (output.end != kNoTime) {
    if (output.end <= emitted_until_) {
      // The stream's window was judged without this partition (it was idle and woke up): its records are
      // late for the wider segments; what it found on its own sensors goes out with the next window.
      too_late = rows_of(output);
      late_ += too_late + output.late;
      std::move(output.findings.begin(), output.findings.end(), std::back_inserter(left_over_));
    } else {
      wait(std::move(output));
    }
  }
  emit_complete();
  return too_late;
}

Result<std::uint64_t> Merger::take_stored(std::string_view bytes) {
  // One that is passed over may count in the bins of a reference that no window needs any more, and cannot be read then.
  ByteReader head(bytes);
  const auto known = partitions_.find(head.u32());
  head.time();  // start
  const Time end = head.time();
  if (!head.failed() && known != partitions_.end() && known->second.has_closed(end)) return 0;
  PartitionOutput output;
  ByteReader in(bytes);
  if (const Status s = output.load(in, editions_); !s) return s.error();
  if (const Status s = in.done("what a partition handed over"); !s) return s.error();
  return take(std::move(output));
}

// By the first level that is not of sensors: the stream's rows, or those that a segment field names.
std::uint64_t Merger::rows_of(const PartitionOutput& output) const {
  const std::vector<Level>& levels = plan_->config.windows.levels;
  const auto wide = std::find_if(levels.begin(), levels.end(), [](const Level& l) { return l.kind != Level::Kind::kSensor; });
  std::uint64_t rows = 0;
  for (const WidePart& part : output.parts) {
    if (part.level == static_cast<std::uint32_t>(wide - levels.begin())) rows += part.block.rows;
  }
  return rows;
}

void Merger::hold(bool held) {
  held_ = held;
  emit_complete();
}

void Merger::wait(PartitionOutput output) {
  PartitionOutput& place = pending_[output.end][output.partition];
  if (place.end != kNoTime) pending_bytes_ -= place.memory();
  pending_bytes_ += output.memory();
  place = std::move(output);
}

std::set<std::uint32_t> Merger::ahead() const {
  std::set<std::uint32_t> out;
  for (const auto& [id, progress] : partitions_) {
    if (!progress.away && progress.has_closed(oldest_pending())) out.insert(id);
  }
  return out;
}

Time Merger::closed_by(std::uint32_t partition) const {
  const auto it = partitions_.find(partition);
  return it == partitions_.end() ? kNoTime : it->second.closed_until;
}

Time Merger::closed_by(const std::set<std::uint32_t>& partitions) const {
  Time until = std::numeric_limits<Time>::max();
  for (const auto& [id, progress] : partitions_) {
    if (partitions.count(id) != 0 && !progress.idle) until = std::min(until, progress.closed_until);
  }
  return until;
}

void Merger::emit_complete() {
  while (!held_ && !pending_.empty()) {
    const Time end = pending_.begin()->first;
    bool idle = false;
    bool waiting = false;
    for (const auto& [id, progress] : partitions_) {
      if (progress.away || (progress.closed_until != kNoTime && progress.closed_until >= end)) continue;
      if (!progress.idle) {
        waiting = true;
      } else if (progress.closed_until != kNoTime) {
        idle = true;  // it may still send what belongs here; one that never sent anything has no part
      }
    }
    if (waiting) return;
    auto outputs = std::move(pending_.begin()->second);
    pending_.erase(pending_.begin());
    for (const auto& [partition, output] : outputs) pending_bytes_ -= output.memory();
    emit(end, std::move(outputs), idle);
  }
}

void Merger::emit(Time end, std::map<std::uint32_t, PartitionOutput> outputs, bool idle) {
  const WindowConfig& windows = plan_->config.windows;
  ClosedWindow closed;
  closed.stream = plan_->config.name;
  closed.end = end;
  const char* closed_by = idle ? "idle" : "";
  std::map<SegmentKey, stats::Block>& merged = recent_[end];
  for (std::uint32_t l = 0; l < windows.levels.size(); ++l) {
    if (windows.levels[l].kind == Level::Kind::kStream) merged[{l, ""}] = stats::Block::zero(editions_.at(end - windows.slide).plan->wide);
  }
  std::uint64_t late = late_;
  late_ = 0;
  for (auto& [partition, output] : outputs) {
    late += output.late;
    if (*output.closed_by != '\0' && *closed_by == '\0') closed_by = output.closed_by;
    for (WidePart& part : output.parts) merged[{part.level, std::move(part.value)}].merge(part.block);
    std::move(output.findings.begin(), output.findings.end(), std::back_inserter(closed.findings));
    closed.judged.insert(closed.judged.end(), output.judged.begin(), output.judged.end());
  }
  closed.late = late;
  std::move(left_over_.begin(), left_over_.end(), std::back_inserter(closed.findings));
  left_over_.clear();
  for (std::uint32_t l = 0; l < windows.levels.size(); ++l) {
    if (windows.levels[l].kind == Level::Kind::kStream) merged[{l, ""}].late = late;
  }
  const Time oldest = end - windows.size;  // panes that end after it are in the window
  while (!recent_.empty() && recent_.begin()->first <= oldest) recent_.erase(recent_.begin());
  judge_all(end, closed_by, closed);
  emitted_until_ = end;
  if (!editions_.single()) editions_.forget_before(recent_.begin()->first - windows.slide);
  std::sort(closed.findings.begin(), closed.findings.end(), before);
  sink_(std::move(closed));
}

void Merger::judge_all(Time end, const char* closed_by, ClosedWindow& closed) {
  if (recent_.size() == 1) {
    const auto& merged = recent_.begin()->second;
    for (const auto& [key, block] : merged) judge(key, block, end, false, closed_by, closed);
    closed.windows = static_cast<std::uint32_t>(merged.size());
    return;
  }
  const Duration slide = plan_->config.windows.slide;
  const Editions::Edition& newest = editions_.at(end - slide);
  bool across = false;
  for (const auto& [pane_end, blocks] : recent_) across = across || &editions_.at(pane_end - slide) != &newest;
  std::map<SegmentKey, stats::Block> whole;
  for (const auto& [pane_end, blocks] : recent_) {
    for (const auto& [key, block] : blocks) whole[key].merge(across ? without_bins(block) : block);
  }
  for (const auto& [key, block] : whole) judge(key, block, end, across, closed_by, closed);
  closed.windows = static_cast<std::uint32_t>(whole.size());
}

void Merger::judge(const SegmentKey& key, const stats::Block& block, Time end, bool across, const char* closed_by, ClosedWindow& closed) {
  Editions::Edition& edition = across ? editions_.across() : editions_.at(end - plan_->config.windows.slide);
  stats::Window& window = edition.wide.view(block);
  window.end = end;
  window.start = end - plan_->config.windows.size;
  window.segment = {plan_->config.windows.levels[key.first].by, key.second};
  window.closed_by = closed_by;
  window.partial = window.start < warm_from_;
  closed.judged.push_back(segment_id(window.segment));
  if (tap_) tap_(window);
  if (across) return judge_across(edition, key.first, window, observer_, closed.findings);
  judge_window(*edition.plan, key.first, edition.checks, window, observer_, closed.findings);
}

Time Merger::complete_until(std::string_view state) {
  ByteReader in(state);
  const Time until = in.time();
  return in.failed() ? kNoTime : until;
}

void Merger::save(ByteWriter& out) const {
  out.i64(emitted_until_);
  out.i64(warm_from_);
  out.u64(late_);
  out.u32(static_cast<std::uint32_t>(partitions_.size()));
  for (const auto& [id, progress] : partitions_) {
    out.u32(id);
    out.i64(progress.closed_until);
  }
  out.u32(static_cast<std::uint32_t>(pending_.size()));
  for (const auto& [end, outputs] : pending_) {
    out.u32(static_cast<std::uint32_t>(outputs.size()));
    for (const auto& [id, output] : outputs) output.save(out);
  }
  out.u32(static_cast<std::uint32_t>(recent_.size()));
  for (const auto& [end, blocks] : recent_) {
    out.i64(end);
    out.u32(static_cast<std::uint32_t>(blocks.size()));
    for (const auto& [key, block] : blocks) {
      out.u32(key.first);
      out.str(key.second);
      block.save(out);
    }
  }
  out.u32(static_cast<std::uint32_t>(left_over_.size()));
  for (const Finding& f : left_over_) driftd::save(out, f);
}

Status Merger::load(ByteReader& in) {
  constexpr std::uint32_t kMost = 1U << 24;
  const Duration slide = plan_->config.windows.slide;
  const Error damaged{ErrorCode::kCorrupt, "merger state: damaged"};
  emitted_until_ = in.time();
  warm_from_ = in.time();
  late_ = in.u64();
  partitions_.clear();
  for (std::uint32_t n = in.count(kMost, 12); n > 0; --n) {
    const std::uint32_t id = in.u32();
    partitions_[id].closed_until = in.time();
  }
  pending_.clear();
  pending_bytes_ = 0;
  for (std::uint32_t n = in.count(kMost, 4); n > 0; --n) {
    for (std::uint32_t m = in.count(kMost, 32); m > 0; --m) {
      PartitionOutput output;
      if (const Status s = output.load(in, editions_); !s) return s;
      if (output.end == kNoTime || output.end <= emitted_until_) return damaged;
      wait(std::move(output));
    }
  }
  recent_.clear();
  for (std::uint32_t n = in.count(kMost, 12); n > 0; --n) {
    const Time pane_end = in.time();
    if (pane_end == kNoTime || pane_end > emitted_until_ || floor_to(pane_end, slide) != pane_end) return damaged;
    auto& blocks = recent_[pane_end];
    const stats::PaneLayout& layout = editions_.at(pane_end - slide).plan->wide;
    for (std::uint32_t m = in.count(kMost, 24); m > 0; --m) {
      SegmentKey key;
      key.first = in.u32();
      key.second = in.str(65536);
      if (key.first >= plan_->config.windows.levels.size()) in.fail();
      if (in.failed()) break;
      if (const Status s = blocks[key].load(in, layout); !s) return s;
    }
  }
  left_over_.clear();
  for (std::uint32_t n = in.count(kMost, 64); n > 0; --n) {
    if (const Status s = driftd::load(in, left_over_.emplace_back()); !s) return s;
  }
  if (in.failed()) return damaged;
  return {};
}

}  // namespace driftd::app
