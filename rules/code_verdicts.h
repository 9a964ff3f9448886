// CodeVerdicts: what a check thinks of each category, found once a text and kept by its number.
//
// Derived from the partition's dictionary, so it is no state: it is learnt again after a restart.
#pragma once

#include <cstdint>
#include <vector>

#include "core/dictionary.h"

namespace driftd::rules {

class CodeVerdicts {
 public:
  // Judges the texts that came since the last call; `passes(text)` says true for a good one.
  template <class F>
  void learn(const Dictionary& texts, F&& passes) {
    while (passes_.size() < texts.size()) {
      const auto code = static_cast<std::uint32_t>(passes_.size());
      passes_.push_back(passes(texts.text(code)) ? 1 : 0);
    }
  }
  // Precondition: known(code).
  bool passes(std::uint32_t code) const { return passes_[code] != 0; }
  // Not known: the dictionary was full when the text came, so nobody kept it.
  bool known(std::uint32_t code) const { return code < passes_.size(); }

 private:
  std::vector<std::uint8_t> passes_;
};

}  // namespace driftd::rules
