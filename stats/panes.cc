#include "stats/panes.h"

#include <algorithm>

namespace driftd::stats {

void PaneLayout::finish() {
  bins = sums = 0;
  quantiles = false;
  for (FieldPlan& field : fields) {
    field.bin_offset = bins;
    field.sum_offset = sums;
    if (field.bins != nullptr) {
      bins += field.bins->size();
      if (field.sums) sums += field.bins->size();
    }
    quantiles = quantiles || field.quantiles;
  }
}

Moments FieldCell::moments() const {
  Moments m;
  if (cells[0] == 0) return m;
  m.n = cells[0];
  m.mean = mean;
  m.m2 = m2;
  m.min = min;
  m.max = max;
  return m;
}

void FieldCell::set(const Moments& m) {
  cells[0] = static_cast<std::uint32_t>(m.n);
  mean = m.mean;
  m2 = m.m2;
  min = m.min;
  max = m.max;
}

Block Block::zero(const PaneLayout& layout) {
  Block b;
  b.fields.resize(layout.fields.size());
  b.bins.resize(layout.bins);
  b.sums.resize(layout.sums);
  if (layout.quantiles) b.quantiles.resize(layout.fields.size());
  b.tallies.resize(layout.checks);
  return b;
}

void Block::merge(const Block& later) {
  if (fields.empty() && rows == 0) {
    const std::uint64_t late_before = late;
    *this = later;
    late += late_before;
    return;
  }
  rows += later.rows;
  late += later.late;
  for (std::size_t f = 0; f < fields.size(); ++f) {
    FieldCell& mine = fields[f];
    Moments m = mine.moments();
    m.merge(later.fields[f].moments());
    for (std::size_t c = 0; c < 5; ++c) mine.cells[c] += later.fields[f].cells[c];
    mine.set(m);
  }
  for (std::size_t i = 0; i < bins.size(); ++i) bins[i] += later.bins[i];
  for (std::size_t i = 0; i < sums.size(); ++i) sums[i] += later.sums[i];
  for (std::size_t i = 0; i < quantiles.size(); ++i) quantiles[i].merge(later.quantiles[i]);
  for (std::size_t i = 0; i < tallies.size(); ++i) {
    tallies[i].failed += later.tallies[i].failed;
    tallies[i].skipped += later.tallies[i].skipped;
    tallies[i].worst = std::max(tallies[i].worst, later.tallies[i].worst);
    if (!tallies[i].first.set) tallies[i].first = later.tallies[i].first;
  }
}

void LevelPane::clear() {
  for (const std::uint32_t segment : segments_) slot_of_[segment] = 0;
  segments_.clear();
  rows_.clear();
  cells_.clear();
  bins_.clear();
  sums_.clear();
  quantiles_.clear();
  tally_of_.clear();
  tallies_.clear();
}

std::uint32_t LevelPane::make_slot(std::uint32_t segment) {
  if (segment >= slot_of_.size()) {
    slot_of_.resize(std::max<std::size_t>(segment + 1, slot_of_.size() + slot_of_.size() / 2), 0);
  }
  segments_.push_back(segment);
  slot_of_[segment] = slots();
  rows_.push_back(0);
  cells_.resize(cells_.size() + layout_->fields.size());
  bins_.resize(bins_.size() + layout_->bins, 0);
  sums_.resize(sums_.size() + layout_->sums, 0);
  if (layout_->quantiles) quantiles_.resize(quantiles_.size() + layout_->fields.size());
  tally_of_.resize(tally_of_.size() + layout_->checks, 0);
  return slots() - 1;
}

TallyCell& LevelPane::tally(std::uint32_t slot, std::uint32_t check) {
  std::uint32_t& at = tally_of_[static_cast<std::size_t>(slot) * layout_->checks + check];
  if (at == 0) {
    tallies_.emplace_back();
    at = static_cast<std::uint32_t>(tallies_.size());
  }
  return tallies_[at - 1];
}

Block LevelPane::block(std::uint32_t slot, std::uint32_t partition, const SensorDictionary& sensors) const {
  const std::size_t fields = layout_->fields.size();
  const auto take = [&](const auto& all, std::size_t width) {
    const auto from = all.begin() + static_cast<std::ptrdiff_t>(slot * width);
    return std::decay_t<decltype(all)>(from, from + static_cast<std::ptrdiff_t>(width));
  };
  Block b;
  b.rows = rows_[slot];
  b.fields = take(cells_, fields);
  b.bins = take(bins_, layout_->bins);
  b.sums = take(sums_, layout_->sums);
  if (layout_->quantiles) b.quantiles = take(quantiles_, fields);
  fill_tallies(slot, partition, sensors, b.tallies);
  return b;
}

void LevelPane::fill_tallies(std::uint32_t slot, std::uint32_t partition, const SensorDictionary& sensors, std::vector<Tally>& out) const {
  out.resize(layout_->checks);
  for (std::uint32_t c = 0; c < layout_->checks; ++c) {
    const std::uint32_t at = tally_of_[static_cast<std::size_t>(slot) * layout_->checks + c];
    Tally& tally = out[c];
    if (at == 0) {
      if (tally.failed + tally.skipped != 0) tally = Tally();
      continue;
    }
    const TallyCell& cell = tallies_[at - 1];
    tally.failed = cell.failed;
    tally.skipped = cell.skipped;
    tally.worst = cell.worst;
    tally.first.set = cell.first_time != kNoTime;
    if (!tally.first.set) continue;
    tally.first.time = cell.first_time;
    tally.first.partition = partition;
    tally.first.position = cell.first_position;
    tally.first.value = cell.first_value;
    tally.first.sensor = cell.first_sensor < sensors.size() ? sensors.text(cell.first_sensor) : "";
  }
}

std::size_t Block::memory() const {
  std::size_t bytes = sizeof *this + fields.capacity() * sizeof(FieldCell) + bins.capacity() * 4 + sums.capacity() * 8 +
                      quantiles.capacity() * sizeof(LogHistogram) + tallies.capacity() * sizeof(Tally);
  for (const LogHistogram& histogram : quantiles) bytes += histogram.memory();
  return bytes;
}

std::size_t LevelPane::memory() const {
  return slot_of_.capacity() * 4 + segments_.capacity() * 4 + rows_.capacity() * 4 + cells_.capacity() * sizeof(FieldCell) +
         bins_.capacity() * 4 + sums_.capacity() * 8 + tally_of_.capacity() * 4 + tallies_.capacity() * sizeof(TallyCell);
}

WindowView::WindowView(const PaneLayout* layout) : layout_(layout) {
  counts_.resize(layout->bins);
  window_.fields.resize(layout->fields.size());
  window_.tallies.resize(layout->checks);
}

Window& WindowView::view(const Block& block) {
  window_.rows = block.rows;
  window_.late = block.late;
  view_fields(block.fields.data(), block.bins.data(), block.sums.data(), block.quantiles.data());
  window_.tallies = block.tallies;
  return window_;
}

Window& WindowView::view(const LevelPane& pane, std::uint32_t slot, std::uint32_t partition, const SensorDictionary& sensors) {
  const std::size_t at = slot;
  window_.rows = pane.rows_[at];
  window_.late = 0;
  view_fields(pane.cells_.data() + at * layout_->fields.size(), pane.bins_.data() + at * layout_->bins,
              pane.sums_.data() + at * layout_->sums, layout_->quantiles ? pane.quantiles_.data() + at * layout_->fields.size() : nullptr);
  pane.fill_tallies(slot, partition, sensors, window_.tallies);
  return window_;
}

void WindowView::view_fields(const FieldCell* cells, const std::uint32_t* bins, const double* sums, const LogHistogram* quantiles) {
  std::copy(bins, bins + layout_->bins, counts_.begin());
  for (std::size_t f = 0; f < layout_->fields.size(); ++f) {
    const PaneLayout::FieldPlan& plan = layout_->fields[f];
    const FieldCell& cell = cells[f];
    FieldSummary& field = window_.fields[f];
    field.kind = plan.kind;
    field.valid = cell.cells[0];
    field.missing = cell.cells[1];
    field.null = cell.cells[2];
    field.wrong_type = cell.cells[3];
    field.not_finite = cell.cells[4];
    field.moments = is_numeric(plan.kind) ? cell.moments() : Moments{};
    field.bins = plan.bins;
    field.bin_counts = {};
    field.bin_sums = {};
    if (plan.bins != nullptr) {
      field.bin_counts = std::span<const double>(counts_).subspan(plan.bin_offset, plan.bins->size());
      if (plan.sums) field.bin_sums = {sums + plan.sum_offset, plan.bins->size()};
    }
    field.quantiles = plan.quantiles ? quantiles + f : nullptr;
  }
}

}  // namespace driftd::stats
