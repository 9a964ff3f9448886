// Distance: how far a window's distribution is from the reference's, on the reference's bins.
//
// Distances are stateless; the same object serves any number of windows, one at a time.
// Formulas, null laws and what the numbers of other tools mean: docs/UNITS.md, made from the units.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>

#include "core/registry.h"
#include "core/result.h"
#include "stats/bins.h"
#include "stats/moments.h"

namespace driftd::stats {

// One side of a comparison.
struct Binned {
  const Bins* bins = nullptr;
  std::span<const double> counts;  // one a bin; whole numbers
  std::span<const double> sums;    // sum of the values in each bin; may be empty (not kept)
  double n = 0;                    // sum of counts
  Moments moments;                 // of the values; n == 0 for categories
};

struct Score {
  double value = 0;
  std::optional<double> p_value;  // where a null law exists, for independent records (docs)
  std::optional<double> excess;   // value minus its mean under no change, where that is known
  std::uint32_t worst_bin = 0;    // the bin that contributes most
  // Not null: no score, for this reason (too_few_samples, constant_reference, not_numeric, ...).
  const char* no_verdict = nullptr;

  static Score none(const char* why) {
    Score s;
    s.no_verdict = why;
    return s;
  }
};

class Distance {
 public:
  virtual ~Distance() = default;
  // Precondition: the same bins on both sides. Never NaN: what cannot be scored says no_verdict.
  // Without `p_value` the score has none, which saves up to half of its cost. Cost: O(bins), no allocation.
  virtual Score score(const Binned& reference, const Binned& current, bool p_value) const = 0;
  // Needs Binned::sums (Wasserstein, energy on quantile bins).
  virtual bool needs_sums() const { return false; }
  // Makes sense for categories as well as for numbers.
  virtual bool for_categories() const { return true; }
  // A score (other than no_verdict) may have a p_value.
  virtual bool has_p_value() const { return false; }
  virtual bool can_be_negative() const { return false; }
};

// What each word of Score::no_verdict means; a unit lists those that it gives.
std::vector<Reason> score_reasons(const std::vector<std::string_view>& words);

using DistanceFactory = std::function<Result<std::unique_ptr<Distance>>(const Params& params)>;
using DistanceRegistry = Registry<DistanceFactory>;

// All distances of stats/distances.def.
const DistanceRegistry& distances();

}  // namespace driftd::stats
