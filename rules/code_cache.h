// CodeCache: a property of each distinct category, computed once, by the category's number.
#pragma once

#include <cstdint>
#include <vector>

#include "core/dictionary.h"

namespace driftd::rules {

class CodeCache {
 public:
  // True when fn(text) holds for the category; texts that did not fit the dictionary hold nothing.
  template <class F>
  bool test(std::uint32_t code, const Dictionary& dictionary, F fn) {
    if (code == Dictionary::kNone) return false;
    while (known_.size() <= code) known_.push_back(fn(dictionary.text(static_cast<std::uint32_t>(known_.size()))) ? 1 : 0);
    return known_[code] != 0;
  }

 private:
  std::vector<std::uint8_t> known_;
};

}  // namespace driftd::rules
