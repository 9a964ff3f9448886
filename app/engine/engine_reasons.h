// Reasons of findings that the engine gives by itself, whatever the check. A closed list: the words are a
// contract, and no word can be added without its meaning. Those of checks are in their descriptors.
#pragma once

#include <vector>

#include "core/registry.h"

namespace driftd::app {

#define DRIFTD_ENGINE_REASONS(X)                                                                                                      \
  X(kWarmingUp, "warming_up",                                                                                                         \
    "records of the window may be missing from it: it starts before those that driftd has counted (retention, damaged checkpoint, "   \
    "partition that came without its state)")                                                                                         \
  X(kTooManyRecords, "too_many_records",                                                                                              \
    "the segment has 4,294,967,295 records or more in the window, which counters do not hold: choose a smaller windows.size")         \
  X(kReferenceChanged, "reference_changed",                                                                                           \
    "instead of no_reference: another version of the reference was promoted in the middle of this sliding window")                    \
  X(kReconfigured, "reconfigured",                                                                                                    \
    "the stream's configuration changed while the window was open, so nothing judges it; once a window, as check `window`, which no " \
    "configuration names")

#define X(name, word, meaning) inline constexpr const char* name = word;
DRIFTD_ENGINE_REASONS(X)
#undef X

inline std::vector<Reason> engine_reasons() {
  return {
#define X(name, word, meaning) {word, meaning},
      DRIFTD_ENGINE_REASONS(X)
#undef X
  };
}

}  // namespace driftd::app
