// BinLearner: learns the bins of one field from the values of a reference, in one pass and bounded memory.
//
// Numbers: all distinct values while there are at most kMaxValues of them (then one bin each, and one between
// each two), else quantile bins of equal mass from a KLL sketch, with finer ones in the tails; a value that alone holds more than a
// bin's mass gets its own. Categories: counted, the most frequent kMaxCategories kept.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/schema.h"
#include "stats/bins.h"
#include "stats/kll.h"

namespace driftd::stats {

class BinLearner {
 public:
  explicit BinLearner(FieldKind kind) : kind_(kind) {}

  void add(double x);               // numeric kinds; precondition: finite
  void add(std::string_view text);  // categories

  Bins learn() const;

 private:
  Bins quantile_bins() const;

  FieldKind kind_;
  std::map<double, std::uint64_t> values_;  // until there are too many
  bool many_ = false;
  double min_ = 0, max_ = 0;
  Kll sketch_;
  std::map<std::string, std::uint64_t, std::less<>> categories_;
};

}  // namespace driftd::stats
