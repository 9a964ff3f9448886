// A finding that tests can tell from others.
#pragma once

#include <string>

#include "core/finding.h"
#include "core/hash.h"

namespace driftd::exporters {

inline Finding finding(int number, const std::string& stream = "pumps", Verdict verdict = Verdict::kFail) {
  Finding f;
  f.id = hex64(static_cast<std::uint64_t>(number));
  f.stream = stream;
  f.field = "temperature";
  f.check = "in_range";
  f.verdict = verdict;
  f.reason = "out_of_range";
  f.window_start = number * kMinute;
  f.window_end = (number + 1) * kMinute;
  f.value = 0.5;
  return f;
}

}  // namespace driftd::exporters
