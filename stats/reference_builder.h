// ReferenceBuilder: rows to a Reference, in two passes over the same records.
//
// Pass 1 (learn) learns the bins; freeze() fixes them; pass 2 is the ordinary window engine on those bins,
// whose windows come to add_window: tumbling windows of the reference's own records, which sum up to the
// profile and make the history. So the reference's masses are exact, and its history is what live windows
// would have said. Memory: the bins' sketches, and for each window of the stream and of a segment and each
// of its fields some 120 bytes and 16 for each bin that has a value, then 16 for each statistic of the history.
// Thread-safety: none.
#pragma once

#include <array>
#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/batch.h"
#include "stats/bin_learner.h"
#include "stats/distance.h"
#include "stats/panes.h"
#include "stats/reference.h"

namespace driftd::stats {

class ReferenceBuilder {
 public:
  // Of numeric fields, where the windows have them (Window::quantiles); in the history as "quantile.0.05" and so on.
  static constexpr std::array<double, 5> kQuantiles = {0.05, 0.25, 0.5, 0.75, 0.95};

  ReferenceBuilder(const Schema& schema, Duration window);

  void learn(const Batch& batch, const Dictionaries& dictionaries);
  // A reference with bins and nothing else, for the second pass to count into; lives as long as this.
  const Reference& freeze();
  // A window of the stream or of a segment field, in order of time; sensors are left out.
  void add_window(const Window& window);
  // An Error when there was no record, or a window had more than its counters hold.
  Result<Reference> finish(std::string name, Provenance provenance);

 private:
  // A bin of a window that has values. There are many windows, so each number takes what it needs.
  struct Mass {
    std::uint64_t bin : 16;
    std::uint64_t count : 48;
    double sum;
  };
  static_assert(kMaxCategories < 1U << 16);  // the largest number of bins
  // What the history still needs of a field in a window.
  struct FieldPoint {
    std::uint64_t valid, absent;
    Moments moments;
    std::array<double, kQuantiles.size()> quantiles;  // NaN: not known
    std::vector<Mass> masses;
  };
  struct Point {
    Time start;
    std::uint64_t rows;
    std::vector<FieldPoint> fields;
  };
  struct Whole {
    SegmentProfile profile;
    std::deque<Point> points;
  };
  struct Scratch {
    std::vector<double> counts, sums;
  };
  void add_field_history(const Segment& segment, const SegmentProfile& profile, std::size_t field, const std::deque<Point>& points,
                         Scratch& scratch, std::map<std::string, History>& out) const;

  const Schema& schema_;
  Duration window_;
  std::vector<BinLearner> learners_;
  Reference frozen_;
  Time uncounted_ = kNoTime;  // start of a window that has too many rows
  std::map<Segment, Whole> segments_;
  std::vector<std::pair<std::string, std::unique_ptr<Distance>>> distances_;  // with their defaults
};

}  // namespace driftd::stats
