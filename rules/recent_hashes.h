// RecentHashes: the last `cap` distinct 64-bit hashes that were added, oldest out first.
//
// Two values of the same hash count as one: among 10,000 remembered values a new one is taken for
// an old one with probability 5e-16. Cost: O(1) expected an addition. Memory: grows with what it
// holds to at most 40 bytes a hash (a ring, and a table with linear probing at most half full).
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "core/bytes.h"

namespace driftd::rules {

class RecentHashes {
 public:
  // Precondition: cap > 0.
  explicit RecentHashes(std::uint32_t cap) : cap_(cap) {}

  // Remembers it; false when it was remembered already (it does not become newer by that).
  bool add(std::uint64_t hash) {
    hash = std::max<std::uint64_t>(hash, 1);  // 0 marks free places
    if (table_.size() < 2 * (ring_.size() + 1)) enlarge();
    std::size_t at = place(hash);
    if (table_[at] == hash) return false;
    if (ring_.size() < cap_) {
      ring_.push_back(hash);
    } else {
      erase(ring_[oldest_]);
      ring_[oldest_] = hash;
      oldest_ = (oldest_ + 1) % ring_.size();
      at = place(hash);
    }
    table_[at] = hash;
    return true;
  }
  std::size_t size() const { return ring_.size(); }

  void save(ByteWriter& out) const {
    out.u32(static_cast<std::uint32_t>(ring_.size()));
    for (std::size_t i = 0; i < ring_.size(); ++i) out.u64(ring_[(oldest_ + i) % ring_.size()]);
  }
  // Sets in.failed() on what save() cannot have written.
  void load(ByteReader& in) {
    ring_.clear();
    table_.clear();
    oldest_ = 0;
    for (std::uint32_t n = in.count(cap_, sizeof(std::uint64_t)); n > 0 && !in.failed(); --n) {
      const std::uint64_t hash = in.u64();
      if (hash == 0 || !add(hash)) in.fail();
    }
  }

 private:
  // Where it is, or the free place where it would go.
  std::size_t place(std::uint64_t hash) const {
    std::size_t at = hash & (table_.size() - 1);
    while (table_[at] != 0 && table_[at] != hash) at = (at + 1) & (table_.size() - 1);
    return at;
  }
  void enlarge() {
    table_.assign(std::max<std::size_t>(16, 2 * table_.size()), 0);
    for (const std::uint64_t hash : ring_) table_[place(hash)] = hash;
  }
  // Moves later entries of the probe sequence back, so that no tombstones are needed.
  void erase(std::uint64_t hash) {
    const std::size_t mask = table_.size() - 1;
    std::size_t hole = place(hash);
    for (std::size_t next = (hole + 1) & mask; table_[next] != 0; next = (next + 1) & mask) {
      const std::size_t home = table_[next] & mask;
      if (((next - home) & mask) < ((next - hole) & mask)) continue;
      table_[hole] = table_[next];
      hole = next;
    }
    table_[hole] = 0;
  }

  std::uint32_t cap_;
  std::size_t oldest_ = 0;            // in ring_, once it is full
  std::vector<std::uint64_t> ring_;   // in the order they came
  std::vector<std::uint64_t> table_;  // a power of two of places
};

}  // namespace driftd::rules
