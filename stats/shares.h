// Shares: two sets of counts as probabilities over the same bins, the input of every distance that
// looks at bins one by one.
#pragma once

#include <array>
#include <cstdint>

#include "core/params.h"
#include "stats/distance.h"

namespace driftd::stats {

// How empty bins are treated, and how many bins there are; parameters of the distances.
struct ShareOptions {
  enum class Zero { kJeffreys, kEvidently, kNone };
  Zero zero = Zero::kNone;
  std::uint32_t bins = 0;  // numeric bins are merged to about this many of equal reference mass; 0: as they are
};
// `zero_default`: "jeffreys" for distances that are not defined on empty bins, else "none".
std::vector<ParamSpec> share_option_params(const char* zero_default);
ShareOptions read_share_options(const Params& params);

// Bins that are empty on both sides are left out. Lives on the stack of one score.
struct Shares {
  static constexpr std::size_t kMost = 1100;
  std::uint32_t size = 0;
  std::array<double, kMost> p;           // reference
  std::array<double, kMost> q;           // current
  std::array<std::uint32_t, kMost> bin;  // the (first) bin of Bins

  double n = 0;  // current
  double m = 0;  // reference
  // n m / (n + m): chi-square laws of many distances are in this unit.
  double harmonic() const { return n * m / (n + m); }
  // Null mean of Jeffreys' divergence, (B - 1)(1/n + 1/m).
  double null_mean() const { return (size - 1.0) * (1 / n + 1 / m); }
};

// Null, or why there is no score: too_few_samples when a side is empty.
const char* make_shares(const Binned& reference, const Binned& current, const ShareOptions& options, Shares& out);

// P(X > x) of chi-square with df degrees; 1 when df is 0.
double chi_square_tail(double x, double df);

}  // namespace driftd::stats
