// Dictionary: texts to dense numbers 0, 1, 2, ... in the order they were first seen, with a cap.
//
// Each partition owns its dictionaries (sensors, the categories of each field), so numbers are
// never compared between partitions; texts are. Thread-safety: none. Cost: no allocation for a
// known text; one hash a lookup, none for a text met lately.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/bytes.h"

namespace driftd {

class Dictionary {
 public:
  static constexpr std::uint32_t kNone = 0xffffffff;

  explicit Dictionary(std::uint32_t cap = 65536) : cap_(cap) {}

  // The number of `text`, added when new; kNone when it is new and the dictionary is full.
  std::uint32_t intern(std::string_view text) {
    std::uint32_t& recent = recent_[slot(text)];
    if (recent < texts_.size() && texts_[recent] == text) return recent;
    const auto it = codes_.find(text);
    if (it != codes_.end()) return recent = it->second;
    if (texts_.size() >= cap_) return kNone;
    const auto code = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back(text);
    codes_.emplace(texts_.back(), code);
    return recent = code;
  }
  // kNone when unknown.
  std::uint32_t find(std::string_view text) const {
    const auto it = codes_.find(text);
    return it == codes_.end() ? kNone : it->second;
  }
  // Precondition: code < size().
  const std::string& text(std::uint32_t code) const { return texts_[code]; }
  std::uint32_t size() const { return static_cast<std::uint32_t>(texts_.size()); }
  std::uint32_t cap() const { return cap_; }

  void save(ByteWriter& out) const {
    out.u32(size());
    for (const std::string& text : texts_) out.str(text);
  }
  Status load(ByteReader& in) {
    codes_.clear();
    texts_.clear();
    const std::uint32_t n = in.count(cap_, 4);
    for (std::uint32_t i = 0; i < n && !in.failed(); ++i) intern(in.view());
    if (in.failed() || size() != n) return Error{ErrorCode::kCorrupt, "dictionary: damaged"};
    return {};
  }

  static constexpr int kSlotBits = 10;

  // Where a text of this length, beginning and end was last found. Records name the same few
  // sensors and categories again and again; comparing with the last one is a third of the cost of
  // hashing.
  static std::size_t slot(std::string_view text) {
    std::uint64_t head = 0, tail = 0;
    if (text.size() >= sizeof head) {
      std::memcpy(&head, text.data(), sizeof head);
      std::memcpy(&tail, text.data() + text.size() - sizeof tail, sizeof tail);
    } else {
      for (const char c : text) head = head << 8 | static_cast<unsigned char>(c);
    }
    const std::uint64_t mixed = (head ^ (tail << 1) ^ text.size()) * 0x9e3779b97f4a7c15;
    return (mixed ^ (mixed >> 32)) * 0x9e3779b97f4a7c15 >> (64 - kSlotBits);
  }

 private:
  std::uint32_t cap_;
  std::array<std::uint32_t, 1U << kSlotBits> recent_{};  // codes; only ever a guess
  std::deque<std::string> texts_;                        // a deque never moves its strings: codes_ views them
  std::unordered_map<std::string_view, std::uint32_t> codes_;
};

}  // namespace driftd
