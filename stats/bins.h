// Bins: the frozen bins of one field, learnt from a reference and never changed after.
//
// Windows count into them, so that windows, panes and partitions merge exactly. Numeric bins are
// (edges[b-1], edges[b]]; the first and the last one are open: they take everything below the
// reference's minimum and above its maximum, which in a sensor is the most telling mass of all.
// Value bins (a reference with at most kMaxValues distinct numbers) have one bin a value and one for
// what lies between two, so that a value that the reference does not know is seen, and KS,
// Wasserstein, energy and their like are exact for those that it knows. Category bins: one a category, and the last one for every other
// text.
#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.h"

namespace driftd::stats {

inline constexpr std::uint32_t kMaxValues = 64;        // more distinct numbers: quantile bins
inline constexpr std::uint32_t kQuantileBins = 32;     // of equal reference mass, plus tail splits
inline constexpr std::uint32_t kMaxCategories = 1024;  // more: the rarest count as "other"

struct Bins {
  enum class Kind : std::uint8_t { kQuantile, kValue, kCategory };

  Kind kind = Kind::kQuantile;
  std::vector<double> edges;            // numeric kinds: size() - 1 edges, strictly growing
  std::vector<std::string> categories;  // kCategory: size() - 1 texts, sorted

  bool numeric() const { return kind != Kind::kCategory; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(numeric() ? edges.size() : categories.size()) + 1; }
  // Precondition: numeric() and x finite. Cost: one binary search.
  std::uint32_t bin_of(double x) const {
    const double* base = edges.data();
    std::size_t left = edges.size();
    while (left > 1) {
      const std::size_t half = left / 2;
      base += base[half - 1] < x ? half : 0;
      left -= half;
    }
    return static_cast<std::uint32_t>(base - edges.data()) + (left == 1 && *base < x ? 1U : 0U);
  }
  // The same for many values; `out` has room for as many. Cost: some 4 ns a value with 32 bins.
  void bins_of(std::span<const double> values, std::uint32_t* out) const;
  // Precondition: !numeric().
  std::uint32_t bin_of(std::string_view category) const {
    const auto it = std::lower_bound(categories.begin(), categories.end(), category);
    const bool known = it != categories.end() && *it == category;
    return static_cast<std::uint32_t>(known ? it - categories.begin() : static_cast<std::ptrdiff_t>(categories.size()));
  }
  // For people: "4", "(1.5, 2]", "(4, 5)", "< 0", "> 3", "'on'", "other".
  std::string label(std::uint32_t bin) const;

  void save(ByteWriter& out) const;
  Status load(ByteReader& in);
};

}  // namespace driftd::stats
