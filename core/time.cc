#include "core/time.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace driftd {
namespace {

// Days since 1970-01-01 of a civil date and back (proleptic Gregorian calendar).
std::int64_t days_of(std::int64_t y, unsigned m, unsigned d) {
  y -= m <= 2 ? 1 : 0;
  const std::int64_t era = (y >= 0 ? y : y - 399) / 400;
  const auto yoe = static_cast<unsigned>(y - era * 400);
  const unsigned doy = (153 * (m > 2 ? m - 3 : m + 9) + 2) / 5 + d - 1;
  const unsigned doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return era * 146097 + static_cast<std::int64_t>(doe) - 719468;
}

struct Civil {
  std::int64_t year;
  unsigned month, day;
};

Civil civil_of(std::int64_t days) {
  days += 719468;
  const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  const auto doe = static_cast<unsigned>(days - era * 146097);
  const unsigned yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  const unsigned doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  const unsigned mp = (5 * doy + 2) / 153;
  const unsigned month = mp < 10 ? mp + 3 : mp - 9;
  return {static_cast<std::int64_t>(yoe) + era * 400 + (month <= 2 ? 1 : 0), month, doy - (153 * mp + 2) / 5 + 1};
}

// Reads exactly `width` digits at `at`; -1 when they are not there.
int digits(std::string_view s, std::size_t at, std::size_t width) {
  if (at + width > s.size()) return -1;
  int v = 0;
  for (std::size_t i = at; i < at + width; ++i) {
    if (s[i] < '0' || s[i] > '9') return -1;
    v = v * 10 + (s[i] - '0');
  }
  return v;
}

struct Unit {
  std::string_view name;
  Duration length;
};
constexpr std::array<Unit, 7> kUnits = {
    {{"d", kDay}, {"h", kHour}, {"m", kMinute}, {"s", kSecond}, {"ms", kMillisecond}, {"us", kMicrosecond}, {"ns", 1}}};

}  // namespace

void append_time(std::string& out, Time t) {
  // Not by floor_to: what it gives for the earliest times is no Time any more.
  const bool before = t % kSecond < 0;
  const Time second = t / kSecond - (before ? 1 : 0);
  auto fraction = static_cast<std::uint32_t>(t % kSecond + (before ? kSecond : 0));
  const std::int64_t day = floor_to(second, 86400) / 86400;
  const auto in_day = static_cast<unsigned>(second - day * 86400);
  const Civil c = civil_of(day);
  std::array<char, 48> text{};
  int n = std::snprintf(text.data(), text.size(), "%04lld-%02u-%02uT%02u:%02u:%02u", static_cast<long long>(c.year), c.month, c.day,
                        in_day / 3600, in_day / 60 % 60, in_day % 60);
  out.append(text.data(), static_cast<std::size_t>(n));
  if (fraction != 0) {
    n = std::snprintf(text.data(), text.size(), ".%09u", fraction);
    while (text[static_cast<std::size_t>(n - 1)] == '0') --n;
    out.append(text.data(), static_cast<std::size_t>(n));
  }
  out += 'Z';
}

std::string format_time(Time t) {
  std::string out;
  append_time(out, t);
  return out;
}

std::optional<Time> parse_time(std::string_view s) {
  const int year = digits(s, 0, 4), month = digits(s, 5, 2), day = digits(s, 8, 2);
  const int hour = digits(s, 11, 2), minute = digits(s, 14, 2), second = digits(s, 17, 2);
  if (year < 1678 || year > 2261 || month < 1 || month > 12 || day < 1 || day > 31 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 60) {
    return std::nullopt;
  }
  if (s[4] != '-' || s[7] != '-' || s[13] != ':' || s[16] != ':' || (s[10] != 'T' && s[10] != 't' && s[10] != ' ')) {
    return std::nullopt;
  }
  const std::int64_t days = days_of(year, static_cast<unsigned>(month), static_cast<unsigned>(day));
  const Civil back = civil_of(days);
  if (back.month != static_cast<unsigned>(month)) return std::nullopt;  // 30 February
  Time t = (days * 86400 + hour * 3600 + minute * 60 + second) * kSecond;
  std::size_t at = 19;
  if (at < s.size() && s[at] == '.') {
    Duration unit = kSecond;
    const std::size_t first = ++at;
    for (; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at) {
      unit /= 10;
      t += (s[at] - '0') * unit;
    }
    if (at == first) return std::nullopt;
  }
  if (at == s.size()) return s[10] == ' ' ? std::optional<Time>(t) : std::nullopt;
  if ((s[at] == 'Z' || s[at] == 'z') && at + 1 == s.size()) return t;
  if ((s[at] != '+' && s[at] != '-') || at + 6 != s.size() || s[at + 3] != ':') return std::nullopt;
  const int off_h = digits(s, at + 1, 2), off_m = digits(s, at + 4, 2);
  if (off_h < 0 || off_h > 23 || off_m < 0 || off_m > 59) return std::nullopt;
  const Duration offset = off_h * kHour + off_m * kMinute;
  return s[at] == '+' ? t - offset : t + offset;
}

std::optional<Duration> parse_duration(std::string_view s) {
  if (s.empty()) return std::nullopt;
  if (s == "0") return 0;
  long double total = 0;  // a double does not hold every nanosecond of more than 104 days
  while (!s.empty()) {
    double number = 0;
    const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), number, std::chars_format::fixed);
    if (error != std::errc() || number < 0) return std::nullopt;
    s.remove_prefix(static_cast<std::size_t>(end - s.data()));
    std::size_t letters = 0;
    while (letters < s.size() && s[letters] >= 'a' && s[letters] <= 'z') ++letters;
    const Unit* unit = nullptr;
    for (const Unit& u : kUnits) {
      if (u.name == s.substr(0, letters)) unit = &u;
    }
    if (unit == nullptr) return std::nullopt;
    s.remove_prefix(letters);
    total += static_cast<long double>(number) * static_cast<long double>(unit->length);
    if (total > 9e18) return std::nullopt;
  }
  return std::llround(total);
}

std::string format_duration(Duration d) {
  if (d == 0) return "0s";
  std::string out;
  if (d < 0) {
    out = "-";
    d = -d;
  }
  for (const Unit& u : kUnits) {
    if (d < u.length) continue;
    out += std::to_string(d / u.length);
    out += u.name;
    d %= u.length;
  }
  return out;
}

}  // namespace driftd
