// Dictionary: texts to dense numbers 0, 1, 2, ... in the order they were first seen, with a cap.
//
// Each partition owns its dictionaries (sensors, the categories of each field), so numbers are never
// compared between partitions; texts are. Thread-safety: none. Cost: one hash of the text a lookup,
// no allocation for a known text.
#pragma once

#include <cstdint>
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
    const auto it = codes_.find(text);
    if (it != codes_.end()) return it->second;
    if (texts_.size() >= cap_) return kNone;
    const auto code = static_cast<std::uint32_t>(texts_.size());
    texts_.emplace_back(text);
    codes_.emplace(texts_.back(), code);
    return code;
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

 private:
  std::uint32_t cap_;
  std::deque<std::string> texts_;  // a deque never moves its strings: codes_ views them
  std::unordered_map<std::string_view, std::uint32_t> codes_;
};

}  // namespace driftd
