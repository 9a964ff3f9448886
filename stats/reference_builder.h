// ReferenceBuilder: rows to a Reference, in two passes over the same records.
//
// Pass 1 (learn) learns the bins; freeze() fixes them; pass 2 is the ordinary window engine on those bins,
// whose windows come to add_window: tumbling windows of the reference's own records, which sum up to the
// profile and make the history. So the reference's masses are exact, and its history is what live windows
// would have said. Thread-safety: none.
#pragma once

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
  ReferenceBuilder(const Schema& schema, Duration window);

  void learn(const Batch& batch, const Dictionaries& dictionaries);
  // A reference with bins and nothing else, for the second pass to count into; lives as long as this.
  const Reference& freeze();
  // A window of the stream or of a segment field, in order of time; sensors are left out.
  void add_window(const Window& window);
  // An Error when there was no record.
  Result<Reference> finish(std::string name, Provenance provenance);

 private:
  // What is kept of a window until the whole is known: a window of n values costs at most 16 n bytes a
  // field beside the fixed part, as empty bins are left out.
  struct FilledBin {
    std::uint32_t bin;
    std::uint32_t count;  // a fuller bin is there twice
    double sum;
  };
  struct PointField {
    std::uint64_t valid, empty;
    Moments moments;
    std::vector<FilledBin> filled;
  };
  struct Point {
    const Segment* segment;  // a key of profiles_
    Time start;
    std::vector<PointField> fields;
    std::uint64_t rows;
  };
  static PointField compact(const FieldProfile& p);
  void add_history(const Point& point, const Reference& whole, std::map<std::string, History>& out) const;

  const Schema& schema_;
  Duration window_;
  std::vector<BinLearner> learners_;
  Reference frozen_;
  std::map<Segment, SegmentProfile> profiles_;
  std::vector<Point> points_;
  std::vector<std::pair<std::string, std::unique_ptr<Distance>>> distances_;  // with their defaults
};

}  // namespace driftd::stats
