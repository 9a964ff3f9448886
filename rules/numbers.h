// Arithmetic that can neither overflow nor give what a finding must not carry.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/time.h"

namespace driftd::rules {

// `v` within the range of finite doubles; NaN becomes 0.
inline double finite(double v) {
  constexpr double kMost = std::numeric_limits<double>::max();
  return std::isnan(v) ? 0 : std::clamp(v, -kMost, kMost);
}

// later - earlier, at the limits of Duration where that overflows.
inline Duration between(Time earlier, Time later) {
  Duration d = 0;
  if (!__builtin_sub_overflow(later, earlier, &d)) return d;
  return later > earlier ? std::numeric_limits<Duration>::max() : std::numeric_limits<Duration>::min();
}

}  // namespace driftd::rules
