// Points in time and lengths of time, as integers of nanoseconds, so that windows, ids and findings
// are exact. A Time counts from 1970-01-01T00:00:00Z (range: years 1678 to 2262).
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace driftd {

using Time = std::int64_t;      // nanoseconds since the Unix epoch, UTC
using Duration = std::int64_t;  // nanoseconds

inline constexpr Duration kMicrosecond = 1'000;
inline constexpr Duration kMillisecond = 1'000'000;
inline constexpr Duration kSecond = 1'000'000'000;
inline constexpr Duration kMinute = 60 * kSecond;
inline constexpr Duration kHour = 60 * kMinute;
inline constexpr Duration kDay = 24 * kHour;
inline constexpr Time kNoTime = std::numeric_limits<Time>::min();  // "not known"

// RFC 3339 in UTC with as many fraction digits as needed: "2026-11-23T10:00:00.25Z".
std::string format_time(Time t);
void append_time(std::string& out, Time t);

// RFC 3339 with any offset; also "YYYY-MM-DD hh:mm:ss[.f]" (taken as UTC). nullopt when it is none.
std::optional<Time> parse_time(std::string_view text);

// "30s" "5m" "1h" "7d" "250ms" and sums of them ("1h30m"); format_duration is its inverse.
std::optional<Duration> parse_duration(std::string_view text);
std::string format_duration(Duration d);

inline double to_seconds(Duration d) { return static_cast<double>(d) / 1e9; }

// Largest multiple of `step` that is not above `t` (also for negative t). Precondition: step > 0.
inline Time floor_to(Time t, Duration step) {
  const Time r = t % step;
  return t - (r < 0 ? r + step : r);
}

}  // namespace driftd
