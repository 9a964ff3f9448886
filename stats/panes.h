// Panes: the counters of open windows, for every segment of one level ("stream", a field, "sensor").
//
// A pane is a base interval of event time (the slide of the windows). A LevelPane holds one slot for
// each segment that has a row (or a silence) in it, in flat arrays: after warm-up adding a row
// allocates nothing. A Block is one slot taken out, to travel to the merger, to be merged with the
// blocks of other partitions and panes (always in the same order) and to be viewed as a Window.
//
// Memory a segment and numeric field: 56 bytes, 4 a bin when a check needs bins, 8 more a bin when
// one needs sums. Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/batch.h"
#include "core/bytes.h"
#include "core/schema.h"
#include "stats/bins.h"
#include "stats/log_histogram.h"
#include "stats/window.h"

namespace driftd::stats {

// Counters of a segment are exact in a pane or block of fewer rows than this. A pane counts no further; nobody may judge by one
// that has come so far.
inline constexpr std::uint32_t kUncounted = 0xFFFFFFFF;

// What the panes of one level keep. The same for all partitions of a stream.
struct PaneLayout {
  struct FieldPlan {
    FieldKind kind = FieldKind::kNumber;
    const Bins* bins = nullptr;  // count into these; outlives the panes
    bool sums = false;           // also sum the values of each bin (numeric)
    bool quantiles = false;      // also keep a LogHistogram (numeric)
    std::uint32_t bin_offset = 0;
    std::uint32_t sum_offset = 0;
  };
  std::vector<FieldPlan> fields;
  std::uint32_t checks = 0;  // of the stream
  std::uint32_t bins = 0;    // of all fields together
  std::uint32_t sums = 0;
  bool quantiles = false;  // any field keeps them

  // Fills in the offsets and totals.
  void finish();
};

// Counters of one field in one segment; the moments of its valid numbers.
struct FieldCell {
  std::uint32_t cells[5] = {0, 0, 0, 0, 0};   // by core/batch.h Cell
  double mean = 0, m2 = 0, min = 0, max = 0;  // meaningful when cells[kValid] > 0

  void add_number(double x) {
    const std::uint32_t n = ++cells[0];
    if (n == 1) {
      mean = min = max = x;
      return;
    }
    const double delta = x - mean;
    mean += delta / n;
    m2 += delta * (x - mean);
    min = x < min ? x : min;
    max = x > max ? x : max;
  }
  Moments moments() const;
  void set(const Moments& m);
};

// What a row-level check counted in one segment.
struct TallyCell {
  std::uint32_t failed = 0;
  std::uint32_t skipped = 0;
  double worst = 0;
  Time first_time = kNoTime;         // kNoTime: no failed row
  std::int64_t first_position = -1;  // -1: silence, no row
  double first_value = 0;
  std::uint32_t first_sensor = 0;
};

// One slot taken out of a pane. Sums and counts add; examples keep the first by partition order.
struct Block {
  std::uint64_t rows = 0;
  std::uint64_t late = 0;
  std::vector<FieldCell> fields;
  std::vector<std::uint32_t> bins;
  std::vector<double> sums;
  std::vector<LogHistogram> quantiles;  // empty or one a field
  std::vector<Tally> tallies;

  // All counters zero, of the sizes that the layout asks for.
  static Block zero(const PaneLayout& layout);
  // Precondition: both of the same layout, or this one just made.
  void merge(const Block& later);
  std::size_t memory() const;  // bytes, but for the texts of examples
  void save(ByteWriter& out) const;
  Status load(ByteReader& in, const PaneLayout& layout);
};

class LevelPane {
 public:
  explicit LevelPane(const PaneLayout* layout) : layout_(layout) {}

  // Empties it and keeps the memory.
  void clear();

  bool has(std::uint32_t segment) const { return segment < slot_of_.size() && slot_of_[segment] != 0; }
  // Slot of a segment's number, made when new.
  std::uint32_t slot(std::uint32_t segment) {
    if (segment < slot_of_.size() && slot_of_[segment] != 0) return slot_of_[segment] - 1;
    return make_slot(segment);
  }
  std::uint32_t slots() const { return static_cast<std::uint32_t>(segments_.size()); }
  std::uint32_t segment(std::uint32_t slot) const { return segments_[slot]; }
  std::uint32_t rows(std::uint32_t slot) const { return rows_[slot]; }

  void add_row(std::uint32_t slot) { rows_[slot] += rows_[slot] != kUncounted; }
  FieldCell& cell(std::uint32_t slot, std::size_t field) { return cells_[slot * layout_->fields.size() + field]; }
  void add_bin(std::uint32_t slot, const PaneLayout::FieldPlan& plan, std::uint32_t bin) {
    ++bins_[static_cast<std::size_t>(slot) * layout_->bins + plan.bin_offset + bin];
  }
  void add_sum(std::uint32_t slot, const PaneLayout::FieldPlan& plan, std::uint32_t bin, double x) {
    sums_[static_cast<std::size_t>(slot) * layout_->sums + plan.sum_offset + bin] += x;
  }
  void add_quantile(std::uint32_t slot, std::size_t field, double x) { quantiles_[slot * layout_->fields.size() + field].add(x); }
  TallyCell& tally(std::uint32_t slot, std::uint32_t check);

  // Copies a slot; sensor numbers of examples become texts, `partition` is written beside them.
  Block block(std::uint32_t slot, std::uint32_t partition, const SensorDictionary& sensors) const;

  std::size_t memory() const;  // bytes
  void save(ByteWriter& out) const;
  Status load(ByteReader& in, std::uint32_t segment_cap);

 private:
  std::uint32_t make_slot(std::uint32_t segment);

  friend class WindowView;
  void fill_tallies(std::uint32_t slot, std::uint32_t partition, const SensorDictionary& sensors, std::vector<Tally>& out) const;

  const PaneLayout* layout_;
  std::vector<std::uint32_t> slot_of_;   // by segment number: slot + 1, or 0
  std::vector<std::uint32_t> segments_;  // by slot
  std::vector<std::uint32_t> rows_;
  std::vector<FieldCell> cells_;
  std::vector<std::uint32_t> bins_;
  std::vector<double> sums_;
  std::vector<LogHistogram> quantiles_;
  std::vector<std::uint32_t> tally_of_;  // by slot and check: index + 1 in tallies_, or 0: most
  std::vector<TallyCell> tallies_;       // checks find nothing in most segments
};

// Views a block as a window. Holds the scratch arrays that the window points to, so it must outlive
// its use; reused from window to window.
class WindowView {
 public:
  explicit WindowView(const PaneLayout* layout);
  // Fields, tallies and rows of the window; the caller fills in times and segment. The block or pane
  // must stay as it is while the window is used. The second form copies no counters.
  Window& view(const Block& block);
  Window& view(const LevelPane& pane, std::uint32_t slot, std::uint32_t partition, const SensorDictionary& sensors);
  Window& window() { return window_; }

 private:
  void view_fields(const FieldCell* cells, const std::uint32_t* bins, const double* sums, const LogHistogram* quantiles);

  const PaneLayout* layout_;
  std::vector<double> counts_;
  Window window_;
};

}  // namespace driftd::stats
