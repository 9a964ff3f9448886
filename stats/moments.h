// Moments: count, mean, sum of squared deviations, extremes; mergeable.
//
// Source: Welford (1962) for adding, Chan, Golub and LeVeque (1979) for merging. Merging in a fixed
// order gives the same bits on any number of workers. Cost: 40 bytes, one division a value.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include "core/bytes.h"

namespace driftd::stats {

struct Moments {
  std::uint64_t n = 0;
  double mean = 0;
  double m2 = 0;  // sum of (x - mean)^2
  double min = std::numeric_limits<double>::infinity();
  double max = -std::numeric_limits<double>::infinity();

  // Precondition: x is finite.
  void add(double x) {
    ++n;
    const double delta = x - mean;
    mean += delta / static_cast<double>(n);
    m2 += delta * (x - mean);
    min = std::min(min, x);
    max = std::max(max, x);
  }

  void merge(const Moments& other) {
    if (other.n == 0) return;
    if (n == 0) {
      *this = other;
      return;
    }
    const auto na = static_cast<double>(n), nb = static_cast<double>(other.n);
    const double delta = other.mean - mean;
    n += other.n;
    mean += delta * (nb / (na + nb));
    m2 += other.m2 + delta * delta * (na * nb / (na + nb));
    min = std::min(min, other.min);
    max = std::max(max, other.max);
  }

  double sum() const { return mean * static_cast<double>(n); }
  // With n - 1 (ddof 1, the sample's) or n (ddof 0, numpy's default); 0 when n <= ddof.
  double variance(unsigned ddof = 1) const { return n > ddof ? std::max(0.0, m2 / static_cast<double>(n - ddof)) : 0; }
  double stddev(unsigned ddof = 1) const { return std::sqrt(variance(ddof)); }

  void save(ByteWriter& out) const {
    out.u64(n);
    for (const double v : {mean, m2, min, max}) out.f64(v);
  }
  void load(ByteReader& in) {
    n = in.u64();
    for (double* v : {&mean, &m2, &min, &max}) *v = in.f64();
  }
};

}  // namespace driftd::stats
