#include "app/engine/partition_engine.h"

#include <algorithm>

namespace driftd::app {
namespace {

// Rows decoded before any is processed: numbers of evicted sensors rest for longer.
constexpr std::size_t kMostDecoded = 8192;
static_assert(kMostDecoded < SensorDictionary::kRestEvictions);

constexpr std::uint32_t kNone = Dictionary::kNone;
constexpr std::size_t kMostLateFindings = 10000;

}  // namespace

Result<std::unique_ptr<PartitionEngine>> PartitionEngine::make(std::shared_ptr<const StreamPlan> plan, std::uint32_t partition,
                                                               RejectSink& rejects) {
  auto checks = make_checks(plan->config, plan->reference.get(), plan->all_findings);
  if (!checks) return checks.error();
  const auto* unit = ingest::decoders().find(plan->config.decoder);
  if (unit == nullptr) {
    return Error{ErrorCode::kNotFound, "stream " + plan->config.name + ": no decoder '" + plan->config.decoder + "'"};
  }
  auto decoder = unit->make(plan->config.decoder_params, plan->config.decode, plan->config.schema);
  if (!decoder) return decoder.error().at("stream " + plan->config.name);
  auto editions = Editions::make(plan);
  if (!editions) return editions.error();
  return std::unique_ptr<PartitionEngine>(
      new PartitionEngine(std::move(plan), partition, rejects, std::move(*checks), std::move(*editions), std::move(*decoder)));
}

PartitionEngine::PartitionEngine(std::shared_ptr<const StreamPlan> plan, std::uint32_t partition, RejectSink& rejects, CheckSet checks,
                                 Editions editions, std::unique_ptr<ingest::Decoder> decoder)
    : plan_(std::move(plan)),
      partition_(partition),
      rejects_(rejects),
      checks_(std::move(checks)),
      editions_(std::move(editions)),
      decoder_(std::move(decoder)),
      dictionaries_(plan_->config.schema.fields.size(), sensor_policy(plan_->config)) {
  const std::size_t levels = plan_->config.windows.levels.size();
  last_code_.resize(levels);
  slots_.resize(levels);
  bin_of_row_.resize(plan_->config.schema.fields.size());
  bin_of_code_.resize(plan_->config.schema.fields.size());
}

void PartitionEngine::process(const RawBatch& raw, OutputSink& sink) {
  const auto process_some = [&](const RawBatch& some) {
    batch_.reset(plan_->config.schema, partition_);
    BatchBuilder builder(batch_, plan_->config.schema, dictionaries_);
    decoder_->decode(some, builder, rejects_);
    process_rows(batch_, sink);
  };
  if (raw.records.size() <= kMostDecoded) {
    process_some(raw);
  } else {
    RawBatch some;
    some.partition = raw.partition;
    for (std::size_t at = 0; at < raw.records.size(); at += kMostDecoded) {
      const std::size_t end = std::min(raw.records.size(), at + kMostDecoded);
      some.records.assign(raw.records.begin() + static_cast<std::ptrdiff_t>(at), raw.records.begin() + static_cast<std::ptrdiff_t>(end));
      process_some(some);
    }
  }
  next_position_ = raw.next_position;
}

void PartitionEngine::process_rows(const Batch& batch, OutputSink& sink) {
  const WindowConfig& windows = plan_->config.windows;
  RowRange slice{0, 0};
  std::size_t evictions = 0;
  const std::uint32_t rows = batch.rows();
  for (std::uint32_t r = 0; r < rows; ++r) {
    const Time t = batch.event_time[r];
    if (warming_) {
      // Records before this one were at most `lateness` newer, or this one would have been late.
      warming_ = false;
      warm_from_ = floor_to(std::max(max_time_, t) + windows.lateness, windows.slide) + windows.slide;
    }
    if (t <= max_time_) continue;
    const bool first = max_time_ == kNoTime;
    max_time_ = t;
    const Time watermark = t - windows.lateness;
    if (first) {
      closed_until_ = std::max(closed_until_, floor_to(watermark, windows.slide));
      send_progress(sink);
    }
    if (watermark < closed_until_ + windows.slide) continue;
    // Rows up to here are in the window that closes or later ones; those after it may come too late.
    slice.end = r + 1;
    take_rows(batch, slice);
    forget_evicted(batch, slice.end, evictions);
    slice.begin = slice.end;
    close_until(watermark, "", sink);
  }
  slice.end = rows;
  take_rows(batch, slice);
  forget_evicted(batch, rows, evictions);
  counters_.accepted += rows;
}

// Those that went with a row before `end`. Their numbers are in no later row, so whether this comes right
// after the row or after the slice is the same; only a closing window would tell.
void PartitionEngine::forget_evicted(const Batch& batch, std::uint32_t end, std::size_t& next) {
  for (; next < batch.evictions.size() && batch.evictions[next].row < end; ++next) {
    const std::uint32_t sensor = batch.evictions[next].sensor;
    for (const auto& check : checks_) check->forget(sensor);
    for (auto& codes : last_code_) {
      if (sensor < codes.size()) codes[sensor] = kNone;
    }
    ++counters_.evicted;
  }
}

Status PartitionEngine::adopt(const PlanEdition& edition) {
  spare_.clear();  // may be of an edition that is replaced
  bins_of_ = nullptr;
  return editions_.adopt(edition);
}

Time PartitionEngine::next_boundary() const {
  if (max_time_ == kNoTime) return kNoTime;
  const Duration slide = plan_->config.windows.slide;
  return std::max(closed_until_, floor_to(max_time_, slide) + slide);
}

std::unique_ptr<PartitionEngine::Pane> PartitionEngine::new_pane(Time start) { return new_pane(start, editions_.at(start)); }

std::unique_ptr<PartitionEngine::Pane> PartitionEngine::new_pane(Time start, Editions::Edition& edition) {
  while (!spare_.empty()) {
    auto pane = std::move(spare_.back());
    spare_.pop_back();
    if (pane->edition != &edition) continue;  // its counters are for other bins
    pane->start = start;
    return pane;
  }
  auto pane = std::make_unique<Pane>();
  pane->start = start;
  pane->edition = &edition;
  for (const Level& level : plan_->config.windows.levels) pane->levels.emplace_back(&edition.plan->layout(level));
  return pane;
}

PartitionEngine::Pane* PartitionEngine::pane_of(Time event_time) {
  if (event_time < closed_until_) return nullptr;
  const Time start = floor_to(event_time, plan_->config.windows.slide);
  for (auto it = open_.rbegin(); it != open_.rend(); ++it) {
    if ((*it)->start == start) return it->get();
  }
  const auto at = std::find_if(open_.begin(), open_.end(), [&](const auto& p) { return p->start > start; });
  return open_.insert(at, new_pane(start))->get();
}

void PartitionEngine::take_rows(const Batch& batch, RowRange range) {
  if (range.begin == range.end) return;
  assign_panes(batch, range);
  if (editions_.single()) return take_rows(batch, range, editions_.at(closed_until_));
  for (std::uint32_t r = range.begin; r < range.end;) {
    Editions::Edition& edition = edition_of_row(batch, r);
    std::uint32_t end = r + 1;
    while (end < range.end && &edition_of_row(batch, end) == &edition) ++end;
    take_rows(batch, {r, end}, edition);
    r = end;
  }
}

Editions::Edition& PartitionEngine::edition_of_row(const Batch& batch, std::uint32_t row) {
  return pane_of_row_[row] != nullptr ? *pane_of_row_[row]->edition : editions_.at(batch.event_time[row]);
}

void PartitionEngine::take_rows(const Batch& batch, RowRange range, Editions::Edition& edition) {
  find_bins(batch, range, edition);
  for (std::uint32_t r = range.begin; r < range.end;) {
    std::uint32_t end = r + 1;
    while (end < range.end && pane_of_row_[end] == pane_of_row_[r]) ++end;
    if (pane_of_row_[r] != nullptr) {
      count_run(batch, *pane_of_row_[r], {r, end});
    } else {
      late_since_close_ += end - r;
      counters_.late += end - r;
      for (auto& slots : slots_) std::fill(slots.begin() + r, slots.begin() + end, kNone);
    }
    r = end;
  }
  run_checks(batch, range, edition);
}

void PartitionEngine::assign_panes(const Batch& batch, RowRange range) {
  const Duration slide = plan_->config.windows.slide;
  pane_of_row_.resize(batch.rows());
  for (auto& slots : slots_) slots.resize(batch.rows());
  Pane* last = nullptr;
  Time from = 1, to = 0;  // of `last`
  for (std::uint32_t r = range.begin; r < range.end; ++r) {
    const Time t = batch.event_time[r];
    if (t < from || t >= to) {
      last = pane_of(t);
      from = last == nullptr ? kNoTime : last->start;
      to = last == nullptr ? closed_until_ : last->start + slide;
    }
    pane_of_row_[r] = last;
  }
}

void PartitionEngine::find_bins(const Batch& batch, RowRange range, const Editions::Edition& edition) {
  if (bins_of_ != &edition) {
    for (auto& known : bin_of_code_) known.clear();
    bins_of_ = &edition;
  }
  for (std::size_t f = 0; f < batch.columns.size(); ++f) {
    const stats::Bins* bins = edition.plan->wide.fields[f].bins;
    if (bins == nullptr) bins = edition.plan->narrow.fields[f].bins;
    if (bins == nullptr) continue;
    const Column& column = batch.columns[f];
    std::vector<std::uint32_t>& out = bin_of_row_[f];
    out.resize(batch.rows());
    if (bins->numeric() && is_numeric(column.kind)) {
      // A cell without a value holds 0 here; its bin is never counted.
      bins->bins_of(std::span(column.numbers).subspan(range.begin, range.end - range.begin), out.data() + range.begin);
    } else if (column.kind == FieldKind::kCategory) {
      std::vector<std::uint32_t>& known = bin_of_code_[f];
      const Dictionary& dictionary = dictionaries_.categories[f];
      while (known.size() < dictionary.size()) {
        known.push_back(bins->bin_of(std::string_view(dictionary.text(static_cast<std::uint32_t>(known.size())))));
      }
      for (std::uint32_t r = range.begin; r < range.end; ++r) {
        const std::uint32_t code = column.codes[r];
        out[r] = code < known.size() ? known[code] : bins->size() - 1;
      }
    }
  }
}

void PartitionEngine::count_run(const Batch& batch, Pane& pane, RowRange run) {
  for (std::size_t l = 0; l < pane.levels.size(); ++l) {
    const Level& level = plan_->config.windows.levels[l];
    stats::LevelPane& counters = pane.levels[l];
    std::vector<std::uint32_t>& slots = slots_[l];
    if (level.kind == Level::Kind::kStream) {
      const std::uint32_t slot = counters.slot(0);
      for (std::uint32_t r = run.begin; r < run.end; ++r) slots[r] = slot;
    } else if (level.kind == Level::Kind::kSensor) {
      for (std::uint32_t r = run.begin; r < run.end; ++r) slots[r] = counters.slot(batch.sensor[r]);
    } else {
      const Column& column = batch.columns[static_cast<std::size_t>(level.field)];
      std::vector<std::uint32_t>& last = last_code_[l];
      if (last.size() < dictionaries_.sensors.size()) last.resize(dictionaries_.sensors.size(), kNone);
      for (std::uint32_t r = run.begin; r < run.end; ++r) {
        const bool known = column.cells[r] == Cell::kValid && column.codes[r] != kNone;
        slots[r] = known ? counters.slot(column.codes[r]) : kNone;
        if (known) last[batch.sensor[r]] = column.codes[r];
      }
    }
    for (std::uint32_t r = run.begin; r < run.end; ++r) {
      if (slots[r] != kNone) counters.add_row(slots[r]);
    }
    count_fields(batch, counters, pane.edition->plan->layout(level), slots, run);
  }
}

void PartitionEngine::count_fields(const Batch& batch, stats::LevelPane& level, const stats::PaneLayout& layout,
                                   const std::vector<std::uint32_t>& slots, RowRange run) {
  const std::size_t fields = batch.columns.size();
  counted_.clear();
  for (std::size_t f = 0; f < fields; ++f) {
    const Column& column = batch.columns[f];
    counted_.push_back({.cells = column.cells.data(),
                        .numbers = is_numeric(column.kind) ? column.numbers.data() : nullptr,
                        .bins = layout.fields[f].bins != nullptr ? bin_of_row_[f].data() : nullptr,
                        .plan = &layout.fields[f]});
  }
  // Row by row, not field by field: the moments of one segment's field are a chain of divisions, and
  // those of several fields then run side by side.
  for (std::uint32_t r = run.begin; r < run.end; ++r) {
    const std::uint32_t slot = slots[r];
    if (slot == kNone) continue;
    for (std::size_t f = 0; f < fields; ++f) {
      const CountedField& field = counted_[f];
      stats::FieldCell& cell = level.cell(slot, f);
      if (field.cells[r] != Cell::kValid) {
        ++cell.cells[static_cast<std::size_t>(field.cells[r])];
        continue;
      }
      if (field.numbers != nullptr) {
        cell.add_number(field.numbers[r]);
      } else {
        ++cell.cells[0];
      }
      if (field.bins == nullptr) continue;
      level.add_bin(slot, *field.plan, field.bins[r]);
      if (field.plan->sums) level.add_sum(slot, *field.plan, field.bins[r], field.numbers[r]);
    }
  }
  if (!layout.quantiles) return;
  for (std::size_t f = 0; f < fields; ++f) {
    if (!layout.fields[f].quantiles) continue;
    const Column& column = batch.columns[f];
    for (std::uint32_t r = run.begin; r < run.end; ++r) {
      if (slots[r] != kNone && column.cells[r] == Cell::kValid) level.add_quantile(slots[r], f, column.numbers[r]);
    }
  }
}

void PartitionEngine::run_checks(const Batch& batch, RowRange range, Editions::Edition& edition) {
  if (verdicts_ != nullptr) {
    verdicts_->judged_with(edition.plan->reference.get(), batch.position[range.begin]);
  }
  for (std::uint32_t c = 0; c < checks_.size(); ++c) {
    rules::Check& check = checks_[c]->rows_need_reference() ? *edition.checks[c] : *checks_[c];
    if (!check.row_level()) continue;
    hits_.clear();
    check.on_rows({batch, range, dictionaries_}, hits_);
    for (const rules::RowHits::Hit& hit : hits_.failed) tally_failed(batch, c, hit);
    if (verdicts_ != nullptr && check.blames_rows()) verdicts_->failed(c, batch, hits_);
    for (const std::uint32_t r : hits_.skipped) {
      if (pane_of_row_[r] == nullptr) continue;
      for (std::size_t l = 0; l < slots_.size(); ++l) {
        if (slots_[l][r] != kNone) ++pane_of_row_[r]->levels[l].tally(slots_[l][r], c).skipped;
      }
    }
    if (plan_->config.checks[c].unit->descriptor.name == "duplicate") counters_.duplicate += hits_.failed.size();
  }
}

void PartitionEngine::tally_failed(const Batch& batch, std::uint32_t check, const rules::RowHits::Hit& hit) {
  const std::uint32_t r = hit.row;
  double worst = hit.value < 0 ? -hit.value : hit.value;
  // What is late is not in a window whose end would hand this over, so there may be no end of it.
  const bool room = pane_of_row_[r] != nullptr || record_findings_.size() < kMostLateFindings;
  if (checks_[check]->judges_records() && room) {
    const rules::Judgement judgement = checks_[check]->judge_record(hit);
    worst = static_cast<double>(judgement.verdict);
    record_findings_.push_back(record_finding(*plan_, check, *checks_[check], judgement, dictionaries_.sensors.text(batch.sensor[r]),
                                              batch.event_time[r], record_source(partition_, batch.position[r])));
  }
  if (pane_of_row_[r] == nullptr) return;
  for (std::size_t l = 0; l < slots_.size(); ++l) {
    if (slots_[l][r] == kNone) continue;
    stats::TallyCell& tally = pane_of_row_[r]->levels[l].tally(slots_[l][r], check);
    ++tally.failed;
    tally.worst = std::max(tally.worst, worst);
    if (tally.first_time != kNoTime) continue;
    tally.first_time = batch.event_time[r];
    tally.first_position = batch.position[r];
    tally.first_value = hit.value;
    tally.first_sensor = batch.sensor[r];
  }
}

std::size_t PartitionEngine::open_memory() const {
  std::size_t bytes = 0;
  for (const auto* panes : {&open_, &closed_}) {
    for (const auto& pane : *panes) {
      for (const stats::LevelPane& level : pane->levels) bytes += level.memory();
    }
  }
  return bytes;
}

}  // namespace driftd::app
