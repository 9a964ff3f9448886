// PartitionEngine: everything that happens to the records of one partition, in their order:
// decoding, row-level checks, counting into panes, closing windows, judging the sensors' windows.
//
// Deterministic: outputs depend on the records and the plan only, never on how records were cut into
// batches, on threads or on clocks (but for advance_idle). It is driven by one worker at a time and
// shares nothing. Its whole state is in save(): a partition that is loaded elsewhere goes on exactly.
//
// Cost a record: decoding, one pass a check and field, one slot look-up a level; no allocation after
// warm-up, no lock, no clock.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "app/engine/editions.h"
#include "app/engine/partition_output.h"
#include "app/engine/plan.h"
#include "app/engine/record_verdicts.h"
#include "core/batch.h"
#include "core/reject.h"
#include "stats/panes.h"

namespace driftd::app {

struct PartitionCounters {
  std::uint64_t accepted = 0;
  std::uint64_t late = 0;
  std::uint64_t duplicate = 0;  // rows that a `duplicate` check found
  std::uint64_t evicted = 0;    // sensors given up for new ones
};

class PartitionEngine {
 public:
  // `rejects` (counting and quarantine) outlives the engine.
  static Result<std::unique_ptr<PartitionEngine>> make(std::shared_ptr<const StreamPlan> plan, std::uint32_t partition,
                                                       RejectSink& rejects);

  // Windows that start from edition.from on are judged against its reference. Precondition: from is
  // a multiple of the slide and at least next_boundary().
  Status adopt(const PlanEdition& edition);
  // The start of the first window that can have no row yet; kNoTime before the first record.
  Time next_boundary() const;

  // The records before the next one were read by somebody of whose state nothing is known (or are gone): the
  // windows that they may be in are partial.
  void warm_up() { warming_ = true; }

  // Tells `verdicts` of every row that fails; it outlives the engine.
  void tell(RecordVerdicts& verdicts) { verdicts_ = &verdicts; }

  // Decodes and takes records; outputs of windows that close go to `sink`, in order.
  void process(const RawBatch& raw, OutputSink& sink);
  // Takes rows that are decoded already (into this engine's dictionaries()).
  void process_rows(const Batch& batch, OutputSink& sink);
  // Closes every window that ends by `watermark`: the partition fell silent ("idle") or its input
  // ended ("end").
  void advance(Time watermark, const char* closed_by, OutputSink& sink);
  // The partition has been silent for `silent` of wall-clock time: its windows close as if event time had
  // gone on, and those with rows that end by `frontier`, where other partitions are (kNoTime: nowhere),
  // close with it, so that none waits for this one. True: no window with rows is open any more.
  bool advance_idle(Duration silent, Time frontier, OutputSink& sink);
  // Closes everything that is open.
  void finish(OutputSink& sink);

  std::uint32_t partition() const { return partition_; }
  Dictionaries& dictionaries() { return dictionaries_; }
  // Newest event time seen; kNoTime before the first record.
  Time max_time() const { return max_time_; }
  Time closed_until() const { return closed_until_; }
  std::int64_t next_position() const { return next_position_; }
  void set_next_position(std::int64_t position) { next_position_ = position; }
  // Windows that end by then were closed by somebody else: what comes for them is late. Before the first record.
  void set_closed_until(Time closed_until) { closed_until_ = closed_until; }
  const PartitionCounters& counters() const { return counters_; }
  // What the detectors of a check say, as Check::state().
  Verdict state(std::size_t check) const { return checks_[check]->state(); }
  std::size_t open_memory() const;

  void save(ByteWriter& out) const;
  Status load(ByteReader& in);

 private:
  struct Pane {
    Time start;
    Editions::Edition* edition;
    std::vector<stats::LevelPane> levels;
  };
  // One field's part of a batch, as counting reads it.
  struct CountedField {
    const Cell* cells;
    const double* numbers;      // nullptr: not numeric
    const std::uint32_t* bins;  // nullptr: not binned
    const stats::PaneLayout::FieldPlan* plan;
  };

  PartitionEngine(std::shared_ptr<const StreamPlan> plan, std::uint32_t partition, RejectSink& rejects, CheckSet checks, Editions editions,
                  std::unique_ptr<ingest::Decoder> decoder);

  std::unique_ptr<Pane> new_pane(Time start);
  Pane* pane_of(Time event_time);  // nullptr: late
  void take_rows(const Batch& batch, RowRange range);
  void forget_evicted(const Batch& batch, std::uint32_t end, std::size_t& next);
  void take_rows(const Batch& batch, RowRange range, Editions::Edition& edition);
  Editions::Edition& edition_of_row(const Batch& batch, std::uint32_t row);
  void assign_panes(const Batch& batch, RowRange range);
  void count_run(const Batch& batch, Pane& pane, RowRange run);
  void count_fields(const Batch& batch, stats::LevelPane& level, const stats::PaneLayout& layout, const std::vector<std::uint32_t>& slots,
                    RowRange run);
  void find_bins(const Batch& batch, RowRange range, const Editions::Edition& edition);
  void run_checks(const Batch& batch, RowRange range, Editions::Edition& edition);
  void tally_failed(const Batch& batch, std::uint32_t check, const rules::RowHits::Hit& hit);
  void send_progress(OutputSink& sink) const;
  void close_until(Time watermark, const char* closed_by, OutputSink& sink);
  void close_pane(Time start, const char* closed_by, OutputSink& sink);
  void retire_oldest();
  void find_silence(Pane& pane, Time end);
  void judge_sensors(std::size_t level, Pane& pane, const char* closed_by, PartitionOutput& out);
  std::unique_ptr<Pane> new_pane(Time start, Editions::Edition& edition);

  std::shared_ptr<const StreamPlan> plan_;
  std::uint32_t partition_;
  RejectSink& rejects_;
  CheckSet checks_;  // with the state of rows; those of the editions judge
  Editions editions_;
  std::unique_ptr<ingest::Decoder> decoder_;
  RecordVerdicts* verdicts_ = nullptr;  // null: nobody asks
  Dictionaries dictionaries_;

  // State.
  Time max_time_ = kNoTime;
  Time closed_until_ = kNoTime;
  bool begun_ = false;    // a window with rows was closed
  bool warming_ = false;  // until the next record, which says from when on windows are whole
  Time warm_from_ = kNoTime;
  std::int64_t next_position_ = 0;
  std::deque<std::unique_ptr<Pane>> open_;             // by start, only those that have rows
  std::deque<std::unique_ptr<Pane>> closed_;           // newest last: panes that sliding windows still need
  std::vector<Finding> record_findings_;               // wait for the next close
  std::vector<std::vector<std::uint32_t>> last_code_;  // by level, by sensor: segment last seen in
  std::uint64_t late_since_close_ = 0;
  PartitionCounters counters_;

  // Scratch, reused.
  Batch batch_;
  std::vector<Pane*> pane_of_row_;                       // by row; nullptr: late
  std::vector<std::vector<std::uint32_t>> slots_;        // by level, by row; Dictionary::kNone: none
  std::vector<std::vector<std::uint32_t>> bin_of_row_;   // by field, by row
  std::vector<std::vector<std::uint32_t>> bin_of_code_;  // by field: category code -> bin
  const Editions::Edition* bins_of_ = nullptr;           // the edition whose bins these are
  std::vector<CountedField> counted_;
  rules::RowHits hits_;
  std::vector<rules::SensorHit> silent_;
  std::vector<std::unique_ptr<Pane>> spare_;
};

}  // namespace driftd::app
