// Hashes of cells, for checks that look for repeated values.
#pragma once

#include <bit>
#include <cstdint>

#include "core/batch.h"
#include "core/hash.h"

namespace driftd::rules {

// One more value into a hash; order matters. The finalizer's multiplier is murmur3's.
inline std::uint64_t mix(std::uint64_t hash, std::uint64_t value) {
  hash = (hash ^ value) * 0xff51afd7ed558ccd;
  return hash ^ (hash >> 32);
}

// Equal for equal values of the same column and, for cells without one, for the same state. 0 and
// -0 are equal. Categories that came when their dictionary was full are all equal.
inline std::uint64_t value_hash(const Batch& batch, const Column& column, std::uint32_t row) {
  if (column.cells[row] != Cell::kValid) return static_cast<std::uint64_t>(column.cells[row]);
  if (is_numeric(column.kind)) {
    return mix(0x9e3779b97f4a7c15, std::bit_cast<std::uint64_t>(column.numbers[row] + 0.0));
  }
  if (column.kind == FieldKind::kCategory) return mix(0xc2b2ae3d27d4eb4f, column.codes[row]);
  return hash64(batch.text(column, row));
}

}  // namespace driftd::rules
