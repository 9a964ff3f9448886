// The closing side of PartitionEngine: windows that the watermark has passed.
#include <algorithm>

#include "app/engine/partition_engine.h"
#include "core/segment_id.h"

namespace driftd::app {
namespace {

// So many empty base windows in a row are judged one by one (a stream that fell silent); a longer
// jump of event time goes on at its far side.
constexpr int kMaxEmptyWindows = 1000;
constexpr std::uint32_t kNone = Dictionary::kNone;

}  // namespace

void PartitionEngine::advance(Time watermark, const char* closed_by, OutputSink& sink) {
  if (max_time_ == kNoTime) return;
  if (watermark >= closed_until_ + plan_->config.windows.slide) close_until(watermark, closed_by, sink);
}

bool PartitionEngine::advance_idle(Duration silent, Time frontier, OutputSink& sink) {
  if (max_time_ == kNoTime) return true;
  const WindowConfig& windows = plan_->config.windows;
  Time watermark = max_time_ + silent - windows.lateness;
  // Never beyond its own rows: one partition whose clock is ahead must not make the others' records late.
  if (!open_.empty()) watermark = std::max(watermark, std::min(frontier, open_.back()->start + windows.slide));
  advance(watermark, "idle", sink);
  return open_.empty();
}

void PartitionEngine::finish(OutputSink& sink) {
  if (max_time_ == kNoTime) return;
  const Duration slide = plan_->config.windows.slide;
  advance(floor_to(max_time_, slide) + slide, "end", sink);
}

void PartitionEngine::close_until(Time watermark, const char* closed_by, OutputSink& sink) {
  const Duration slide = plan_->config.windows.slide;
  const Time target = floor_to(watermark, slide);
  int empty = 0;
  while (closed_until_ + slide <= target) {
    const Time start = closed_until_;
    const bool has_rows = !open_.empty() && open_.front()->start == start;
    begun_ = begun_ || has_rows;
    empty = has_rows ? 0 : empty + 1;
    if (!begun_ || empty > kMaxEmptyWindows) {
      // On to the next window that has rows, or to the target. Before the first record there is no
      // window either: that the partition waits for out-of-order rows is no silence.
      closed_until_ = open_.empty() ? target : std::min(open_.front()->start, target);
      while (!closed_.empty() && closed_.front()->start + plan_->config.windows.size <= closed_until_) retire_oldest();
      empty = 0;
      send_progress(sink);
      continue;
    }
    close_pane(start, closed_by, sink);
  }
}

void PartitionEngine::send_progress(OutputSink& sink) const {
  PartitionOutput progress;
  progress.partition = partition_;
  progress.closed_until = closed_until_;
  progress.warm_from = warm_from_;
  sink.take(std::move(progress));
}

void PartitionEngine::close_pane(Time start, const char* closed_by, OutputSink& sink) {
  const WindowConfig& windows = plan_->config.windows;
  std::unique_ptr<Pane> pane;
  if (!open_.empty() && open_.front()->start == start) {
    pane = std::move(open_.front());
    open_.pop_front();
  } else {
    pane = new_pane(start);
  }
  PartitionOutput output;
  output.partition = partition_;
  output.start = start;
  output.end = start + windows.slide;
  output.closed_by = closed_by;
  output.warm_from = warm_from_;
  output.late = late_since_close_;
  late_since_close_ = 0;
  // Recorded data ends within a window; that nothing comes after its end is no silence.
  find_silence(*pane, std::string_view(closed_by) == "end" ? std::min(output.end, max_time_) : output.end);
  const auto due =
      std::stable_partition(record_findings_.begin(), record_findings_.end(), [&](const Finding& f) { return f.window_end > output.end; });
  output.findings.assign(std::make_move_iterator(due), std::make_move_iterator(record_findings_.end()));
  record_findings_.erase(due, record_findings_.end());
  // Panes that were jumped over are not among them, so that their number says nothing of how old they are.
  while (!closed_.empty() && closed_.front()->start + windows.size <= start) retire_oldest();
  for (std::uint32_t l = 0; l < pane->levels.size(); ++l) {
    const Level& level = windows.levels[l];
    if (level.kind == Level::Kind::kSensor) {
      judge_sensors(l, *pane, closed_by, output);
      continue;
    }
    for (std::uint32_t slot = 0; slot < pane->levels[l].slots(); ++slot) {
      WidePart part;
      part.level = l;
      if (level.kind == Level::Kind::kField) {
        part.value = dictionaries_.categories[static_cast<std::size_t>(level.field)].text(pane->levels[l].segment(slot));
      }
      part.block = pane->levels[l].block(slot, partition_, dictionaries_.sensors);
      output.parts.push_back(std::move(part));
    }
  }
  closed_until_ = output.end;
  output.closed_until = closed_until_;
  closed_.push_back(std::move(pane));
  while (closed_.size() >= windows.panes()) retire_oldest();
  if (!editions_.single()) {
    const Time oldest = closed_.empty() ? closed_until_ : closed_.front()->start;
    spare_.clear();  // those of an edition that is forgotten must go with it
    editions_.forget_before(oldest);
    bins_of_ = nullptr;
  }
  sink.take(std::move(output));
}

// No window needs the oldest closed pane any more.
void PartitionEngine::retire_oldest() {
  for (stats::LevelPane& level : closed_.front()->levels) level.clear();
  spare_.push_back(std::move(closed_.front()));
  closed_.pop_front();
}

void PartitionEngine::find_silence(Pane& pane, Time end) {
  const WindowConfig& windows = plan_->config.windows;
  for (std::uint32_t c = 0; c < checks_.size(); ++c) {
    if (!checks_[c]->row_level()) continue;
    silent_.clear();
    checks_[c]->on_close(pane.start, end, silent_);
    for (const rules::SensorHit& hit : silent_) {
      for (std::size_t l = 0; l < pane.levels.size(); ++l) {
        std::uint32_t segment = 0;
        if (windows.levels[l].kind == Level::Kind::kSensor) segment = hit.sensor;
        if (windows.levels[l].kind == Level::Kind::kField) {
          segment = hit.sensor < last_code_[l].size() ? last_code_[l][hit.sensor] : kNone;
          if (segment == kNone) continue;
        }
        stats::TallyCell& tally = pane.levels[l].tally(pane.levels[l].slot(segment), c);
        ++tally.failed;
        tally.worst = std::max(tally.worst, hit.value);
        if (tally.first_time != kNoTime) continue;
        tally.first_time = hit.time;
        tally.first_position = -1;
        tally.first_value = hit.value;
        tally.first_sensor = hit.sensor;
      }
    }
  }
}

void PartitionEngine::judge_sensors(std::size_t level, Pane& pane, const char* closed_by, PartitionOutput& out) {
  const WindowConfig& windows = plan_->config.windows;
  stats::LevelPane& now = pane.levels[level];
  const bool sliding = windows.panes() > 1;
  // A sliding window also judges sensors whose rows are all in the panes before.
  for (const auto& before : closed_) {
    for (std::uint32_t slot = 0; slot < before->levels[level].slots(); ++slot) {
      if (before->levels[level].rows(slot) != 0) now.slot(before->levels[level].segment(slot));
    }
  }
  bool across = false;
  for (const auto& before : closed_) across = across || before->edition != pane.edition;
  Editions::Edition& edition = across ? editions_.across() : *pane.edition;
  const auto block_of = [&](stats::LevelPane& from, std::uint32_t slot) {
    stats::Block block = from.block(slot, partition_, dictionaries_.sensors);
    return across ? without_bins(std::move(block)) : block;
  };
  for (std::uint32_t slot = 0; slot < now.slots(); ++slot) {
    const std::uint32_t sensor = now.segment(slot);
    stats::Block merged;
    if (sliding) {
      for (const auto& before : closed_) {
        stats::LevelPane& older = before->levels[level];
        if (older.has(sensor)) merged.merge(block_of(older, older.slot(sensor)));
      }
      merged.merge(block_of(now, slot));
    }
    stats::Window& window = sliding ? edition.narrow.view(merged) : edition.narrow.view(now, slot, partition_, dictionaries_.sensors);
    window.end = pane.start + windows.slide;
    window.start = window.end - windows.size;
    window.segment.by = "sensor";
    window.segment.value = dictionaries_.sensors.text(sensor);
    window.closed_by = closed_by;
    window.partial = window.start < warm_from_;
    out.judged.push_back(segment_id(window.segment));
    if (across) {
      judge_across(edition, level, window, nullptr, out.findings);
    } else {
      judge_window(*edition.plan, level, edition.checks, window, nullptr, out.findings);
    }
  }
}

}  // namespace driftd::app
