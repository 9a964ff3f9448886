// LogHistogram: quantiles with a relative error of at most 0.5 %, from integer counters only, so that
// it merges exactly and in any order. What decides (the quantile check) may rest on it.
//
// Source: the logarithmic bucketing of DDSketch (Masson, Rim, Lee, VLDB 2019), with fixed bounds
// instead of collapsing: magnitudes below 1e-9 count as zero, above 1e15 as 1e15. Memory: grows with
// the decades that the values span, about 230 counters (1.8 KiB) a decade, at most 86 KiB.
#pragma once

#include <cmath>
#include <cstdint>
#include <map>
#include <optional>

#include "core/bytes.h"

namespace driftd::stats {

class LogHistogram {
 public:
  static constexpr double kRelativeError = 0.005;

  // Precondition: x is finite.
  void add(double x) {
    ++n_;
    ++counts_[key(x)];
  }
  void merge(const LogHistogram& other) {
    n_ += other.n_;
    for (const auto& [k, c] : other.counts_) counts_[k] += c;
  }
  void clear() {
    n_ = 0;
    counts_.clear();
  }
  std::uint64_t n() const { return n_; }
  std::size_t memory() const { return counts_.size() * kCounterBytes; }
  // Value at quantile q in [0, 1] (nearest rank: the smallest value with rank >= q n); nullopt when
  // empty.
  std::optional<double> quantile(double q) const {
    if (n_ == 0) return std::nullopt;
    const double wanted = std::max(1.0, std::ceil(q * static_cast<double>(n_)));
    double rank = 0;
    for (const auto& [k, c] : counts_) {
      rank += static_cast<double>(c);
      if (rank >= wanted) return value(k);
    }
    return value(counts_.rbegin()->first);
  }

  void save(ByteWriter& out) const {
    out.u32(static_cast<std::uint32_t>(counts_.size()));
    for (const auto& [k, c] : counts_) {
      out.i64(k);
      out.u64(c);
    }
  }
  Status load(ByteReader& in) {
    clear();
    const std::uint32_t size = in.count(2 * kKeys + 1, 16);
    std::int64_t last = -kKeys - 1;
    for (std::uint32_t i = 0; i < size; ++i) {
      const std::int64_t k = in.i64();
      const std::uint64_t c = in.u64();
      if (k <= last || k > kKeys || c == 0 || n_ + c < n_) in.fail();
      if (in.failed()) return Error{ErrorCode::kCorrupt, "quantile histogram: damaged"};
      last = k;
      counts_[static_cast<int>(k)] = c;
      n_ += c;
    }
    if (in.failed()) return Error{ErrorCode::kCorrupt, "quantile histogram: truncated"};
    return {};
  }

 private:
  static constexpr std::size_t kCounterBytes = 48;  // a node of the map
  static constexpr double kLeast = 1e-9, kMost = 1e15;
  static constexpr int kKeys = 5600;  // > log(kMost / kLeast) / log(gamma)
  static double log_gamma() { return std::log((1 + kRelativeError) / (1 - kRelativeError)); }

  static int key(double x) {
    const double size = std::fabs(x);
    if (size < kLeast) return 0;
    const int k = 1 + static_cast<int>(std::floor(std::log(std::min(size, kMost) / kLeast) / log_gamma()));
    return x < 0 ? -k : k;
  }
  static double value(int k) {
    if (k == 0) return 0;
    // The value whose relative distance to both ends of the bucket is kRelativeError.
    const double size = kLeast * std::exp(std::abs(k) * log_gamma()) * (1 - kRelativeError);
    return k < 0 ? -size : size;
  }

  std::uint64_t n_ = 0;
  std::map<int, std::uint64_t> counts_;
};

}  // namespace driftd::stats
