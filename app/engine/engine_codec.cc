// How the state of partitions is stored; docs/FORMATS.md, "Checkpoint".
#include <limits>

#include "app/engine/partition_engine.h"

namespace driftd::app {
namespace {

constexpr std::uint32_t kMaxPanes = 1U << 20;
constexpr std::uint32_t kMaxFindings = 1U << 24;

Status damaged() { return Error{ErrorCode::kCorrupt, "partition state: damaged"}; }

void save_findings(ByteWriter& out, const std::vector<Finding>& findings) {
  out.u32(static_cast<std::uint32_t>(findings.size()));
  for (const Finding& f : findings) save(out, f);
}

Status load_findings(ByteReader& in, std::vector<Finding>& findings) {
  findings.clear();
  const std::uint32_t n = in.count(kMaxFindings, 64);
  for (std::uint32_t i = 0; i < n; ++i) {
    if (const Status s = driftd::load(in, findings.emplace_back()); !s) return s;
  }
  return in.failed() ? damaged() : Status();
}

}  // namespace

std::size_t PartitionOutput::memory() const {
  constexpr std::size_t kTexts = 64;  // of one finding: its id, its names
  std::size_t bytes = sizeof *this + judged.capacity() * sizeof(judged[0]) + findings.capacity() * (sizeof(Finding) + kTexts);
  for (const Finding& f : findings) bytes += f.detail.capacity() * sizeof(Detail);
  for (const WidePart& part : parts) bytes += sizeof part + part.value.capacity() + part.block.memory();
  return bytes;
}

void PartitionOutput::save(ByteWriter& out) const {
  out.u32(partition);
  for (const Time t : {start, end, closed_until, warm_from}) out.i64(t);
  save_findings(out, findings);
  out.u32(static_cast<std::uint32_t>(parts.size()));
  for (const WidePart& part : parts) {
    out.u32(part.level);
    out.str(part.value);
    part.block.save(out);
  }
  out.u32(static_cast<std::uint32_t>(judged.size()));
  for (const std::uint64_t id : judged) out.u64(id);
  out.u64(late);
  out.u8(*closed_by == '\0' ? 0 : *closed_by == 'i' ? 1 : 2);
}

Status PartitionOutput::load(ByteReader& in, Editions& editions) {
  partition = in.u32();
  for (Time* t : {&start, &end, &closed_until, &warm_from}) *t = in.time();
  if (const Status s = load_findings(in, findings); !s) return s;
  const StreamPlan& plan = *editions.at(start).plan;
  const Duration slide = plan.config.windows.slide;
  // Its end chooses where its blocks are added, its start in whose bins they count.
  const bool sound = start == kNoTime ? end == kNoTime : end != kNoTime && end - start == slide && floor_to(start, slide) == start;
  const std::uint32_t n = in.count(kMaxPanes, 8);
  if (!sound || (start == kNoTime && n != 0)) return damaged();
  for (std::uint32_t i = 0; i < n; ++i) {
    WidePart& part = parts.emplace_back();
    part.level = in.u32();
    part.value = in.str(65536);
    if (part.level >= plan.config.windows.levels.size()) return damaged();
    if (const Status s = part.block.load(in, plan.wide); !s) return s;
  }
  judged.resize(in.count(kMaxFindings, 8));
  for (std::uint64_t& id : judged) id = in.u64();
  late = in.u64();
  static constexpr const char* kClosedBy[] = {"", "idle", "end"};
  const std::uint8_t by = in.u8();
  if (in.failed() || by > 2) return damaged();
  closed_by = kClosedBy[by];
  return {};
}

void PartitionEngine::save(ByteWriter& out) const {
  out.i64(max_time_);
  out.i64(closed_until_);
  out.i64(next_position_);
  out.boolean(begun_);
  out.boolean(warming_);
  out.i64(warm_from_);
  dictionaries_.sensors.save(out);
  for (const Dictionary& d : dictionaries_.categories) d.save(out);
  for (const auto* panes : {&open_, &closed_}) {
    out.u32(static_cast<std::uint32_t>(panes->size()));
    for (const auto& pane : *panes) {
      out.i64(pane->start);
      out.str(pane->edition->hash());
      for (const stats::LevelPane& level : pane->levels) level.save(out);
    }
  }
  save_findings(out, record_findings_);
  for (const auto& codes : last_code_) {
    out.u32(static_cast<std::uint32_t>(codes.size()));
    for (const std::uint32_t code : codes) out.u32(code);
  }
  for (const std::uint64_t v : {late_since_close_, counters_.accepted, counters_.late, counters_.duplicate, counters_.evicted}) out.u64(v);
  // Each check's state has its own length, so that a fault in one is found as its own.
  ByteWriter part;
  for (const auto& check : checks_) {
    part.clear();
    check->save(part);
    out.str(part.bytes());
  }
  part.clear();
  decoder_->save(part);
  out.str(part.bytes());
}

Status PartitionEngine::load(ByteReader& in) {
  max_time_ = in.time();
  closed_until_ = in.time();
  next_position_ = in.i64();
  begun_ = in.boolean();
  warming_ = in.boolean();
  warm_from_ = in.time();
  if (const Status s = dictionaries_.sensors.load(in); !s) return s;
  for (Dictionary& d : dictionaries_.categories) {
    if (const Status s = d.load(in); !s) return s;
  }
  for (auto* panes : {&open_, &closed_}) {
    panes->clear();
    const std::uint32_t n = in.count(kMaxPanes, 8);
    for (std::uint32_t i = 0; i < n; ++i) {
      const Time start = in.time();
      const std::string reference = in.str(64);
      const Duration slide = plan_->config.windows.slide;
      if (start == kNoTime || floor_to(start, slide) != start || (!panes->empty() && start <= panes->back()->start)) return damaged();
      // In the bins of another one the merger would take its blocks for what they are not.
      Editions::Edition& edition = editions_.at(start);
      if (edition.hash() != reference) {
        return Error{ErrorCode::kNotFound, "partition state: its windows were counted for a reference that is not in use then"};
      }
      auto pane = new_pane(start, edition);
      for (std::size_t l = 0; l < pane->levels.size(); ++l) {
        const Level& level = plan_->config.windows.levels[l];
        std::uint32_t cap = 1;
        if (level.kind == Level::Kind::kSensor) cap = dictionaries_.sensors.size();
        if (level.kind == Level::Kind::kField) cap = dictionaries_.categories[static_cast<std::size_t>(level.field)].size();
        if (const Status s = pane->levels[l].load(in, cap); !s) return s;
      }
      panes->push_back(std::move(pane));
    }
  }
  if (const Status s = load_findings(in, record_findings_); !s) return s;
  for (std::size_t l = 0; l < last_code_.size(); ++l) {
    last_code_[l].resize(in.count(dictionaries_.sensors.size(), 4));
    for (std::uint32_t& code : last_code_[l]) {
      code = in.u32();
      const Level& level = plan_->config.windows.levels[l];
      const bool known = level.kind == Level::Kind::kField && code < dictionaries_.categories[static_cast<std::size_t>(level.field)].size();
      if (!known) code = Dictionary::kNone;
    }
  }
  for (std::uint64_t* v : {&late_since_close_, &counters_.accepted, &counters_.late, &counters_.duplicate, &counters_.evicted})
    *v = in.u64();
  for (const auto& check : checks_) {
    ByteReader part(in.view(std::numeric_limits<std::uint32_t>::max()));  // as far as its length reaches
    if (in.failed()) return damaged();
    if (const Status s = check->load(part); !s) return s;
  }
  ByteReader part(in.view(1U << 23));  // a CSV header of a MiB, and its names
  if (in.failed()) return damaged();
  return decoder_->load(part);
}

}  // namespace driftd::app
