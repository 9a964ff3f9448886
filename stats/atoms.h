// Atoms: binned data as point masses in value units, for distances that measure how far mass moves.
#pragma once

#include <cmath>

#include "stats/distance.h"

namespace driftd::stats {

// Walks both distributions from the left: in each bin the mass of a side stands at that side's own mean
// there (sums / counts), so that value bins and open end bins are exact and a quantile bin is off by at
// most its mass times its width. Calls fn(gap, F - G, bin): between two neighbouring atoms, `gap` apart,
// the distribution functions of reference and current differ by F - G. False when a side keeps no sums.
template <class F>
bool for_each_gap(const Binned& reference, const Binned& current, F fn) {
  if (reference.sums.empty() || current.sums.empty()) return false;
  double f = 0, g = 0, last = 0;
  bool any = false;
  const auto step = [&](double at, double df, double dg, std::uint32_t bin) {
    if (any && at > last) fn(at - last, f - g, bin);
    if (!any || at > last || std::isnan(last)) last = at;  // fmax would be a call
    any = true;
    f += df;
    g += dg;
  };
  for (std::uint32_t b = 0; b < reference.counts.size(); ++b) {
    const double r = reference.counts[b], c = current.counts[b];
    const double at_r = r > 0 ? reference.sums[b] / r : 0, at_c = c > 0 ? current.sums[b] / c : 0;
    if (r > 0 && c > 0) {
      if (at_r <= at_c) {
        step(at_r, r / reference.n, 0, b);
        step(at_c, 0, c / current.n, b);
      } else {
        step(at_c, 0, c / current.n, b);
        step(at_r, r / reference.n, 0, b);
      }
    } else if (r > 0) {
      step(at_r, r / reference.n, 0, b);
    } else if (c > 0) {
      step(at_c, 0, c / current.n, b);
    }
  }
  return true;
}

}  // namespace driftd::stats
