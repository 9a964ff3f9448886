#include "core/text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace driftd {
namespace {

// Length of the valid UTF-8 sequence at s[at], 0 when there is none (RFC 3629).
std::size_t utf8_length(std::string_view s, std::size_t at) {
  const auto byte = [&](std::size_t i) { return at + i < s.size() ? static_cast<unsigned char>(s[at + i]) : 0U; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
  const unsigned b = byte(0);
  if (b < 0x80) return 1;
  if (b >= 0xC2 && b <= 0xDF) return tail(1) ? 2 : 0;
  if (b >= 0xE0 && b <= 0xEF) {
    if (!tail(1) || !tail(2)) return 0;
    if (b == 0xE0 && byte(1) < 0xA0) return 0;
    if (b == 0xED && byte(1) > 0x9F) return 0;
    return 3;
  }
  if (b >= 0xF0 && b <= 0xF4) {
    if (!tail(1) || !tail(2) || !tail(3)) return 0;
    if (b == 0xF0 && byte(1) < 0x90) return 0;
    if (b == 0xF4 && byte(1) > 0x8F) return 0;
    return 4;
  }
  return 0;
}

// What other tools, papers and languages call our words.
constexpr std::array<std::pair<std::string_view, std::string_view>, 36> kSynonyms = {{
    {"js", "jensen_shannon"},
    {"jsd", "jensen_shannon"},
    {"tv", "total_variation"},
    {"tvd", "total_variation"},
    {"kolmogorov_smirnov", "ks"},
    {"kullback_leibler", "kl"},
    {"emd", "wasserstein"},
    {"chi2", "chi_square"},
    {"linf", "l_infinity"},
    {"population_stability_index", "psi"},
    {"cvm", "cramer_von_mises"},
    {"string", "text"},
    {"str", "text"},
    {"bool", "flag"},
    {"boolean", "flag"},
    {"float", "number"},
    {"double", "number"},
    {"numeric", "number"},
    {"int", "integer"},
    {"long", "integer"},
    {"enum", "category"},
    {"categorical", "category"},
    {"warn", "warning"},
    {"error", "critical"},
    {"fatal", "critical"},
    {"high", "critical"},
    {"isnull", "not_null"},
    {"is_null", "not_null"},
    {"null", "not_null"},
    {"nulls", "not_null"},
    {"range", "in_range"},
    {"between", "in_range"},
    {"one_of", "in_set"},
    {"regex", "matches"},
    {"flatline", "stuck_value"},
    {"avg", "mean"},
}};

bool has(const std::vector<std::string>& list, std::string_view word) { return std::find(list.begin(), list.end(), word) != list.end(); }

}  // namespace

void append_number(std::string& out, double v) {
  std::array<char, 32> text{};
  const auto result = std::to_chars(text.data(), text.data() + text.size(), v);
  out.append(text.data(), result.ptr);
}

std::string format_number(double v) {
  std::string out;
  append_number(out, v);
  return out;
}

std::optional<double> parse_number(std::string_view s) {
  if (!s.empty() && s.front() == '+') s.remove_prefix(1);
  double v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (error == std::errc::result_out_of_range && end == s.data() + s.size()) {
    return std::strtod(std::string(s).c_str(), nullptr);  // from_chars leaves v as it was
  }
  if (s.empty() || error != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return v;
}

std::optional<std::int64_t> parse_integer(std::string_view s) {
  if (!s.empty() && s.front() == '+') s.remove_prefix(1);
  std::int64_t v = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), v);
  if (s.empty() || error != std::errc() || end != s.data() + s.size()) return std::nullopt;
  return v;
}

void append_json_string(std::string& out, std::string_view s) {
  out += '"';
  for (std::size_t i = 0; i < s.size();) {
    const auto c = static_cast<unsigned char>(s[i]);
    if (c >= 0x80) {
      const std::size_t length = utf8_length(s, i);
      if (length == 0) {
        out += "\xEF\xBF\xBD";
        ++i;
      } else {
        out.append(s, i, length);
        i += length;
      }
      continue;
    }
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (c < 0x20) {
          std::array<char, 8> escape{};
          std::snprintf(escape.data(), escape.size(), "\\u%04x", c);
          out += escape.data();
        } else {
          out += static_cast<char>(c);
        }
    }
    ++i;
  }
  out += '"';
}

// Before the edit distance comes what other tools call our words, after it the only word that begins so.
namespace {

// Letters to change, leave out, put in or swap with the next (optimal string alignment).
std::size_t typing_distance(std::string_view a, std::string_view b) {
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known) {
  for (const auto& [synonym, ours] : kSynonyms) {
    if (synonym == word && has(known, ours)) return std::string(ours);
  }
  std::optional<std::string> best;
  std::size_t best_distance = 0;
  for (const std::string& candidate : known) {
    const std::size_t shorter = std::min(word.size(), candidate.size()), longer = std::max(word.size(), candidate.size());
    const std::size_t allowed = std::max<std::size_t>(1, longer / 3);
    if (longer - shorter > allowed) continue;  // so far apart at the least; and a word from outside may be of megabytes
    const std::size_t distance = typing_distance(word, candidate);
    if (distance <= allowed && (!best || distance < best_distance)) {
      best = candidate;
      best_distance = distance;
    }
  }
  if (best || word.size() < 2) return best;
  const auto begins = [&](const std::string& candidate) { return candidate.starts_with(word); };
  const auto only = std::find_if(known.begin(), known.end(), begins);
  if (only != known.end() && std::count_if(known.begin(), known.end(), begins) == 1) return *only;
  return std::nullopt;
}

std::string join(const std::vector<std::string>& parts, std::string_view separator) {
  std::string out;
  for (const std::string& part : parts) {
    if (!out.empty()) out += separator;
    out += part;
  }
  return out;
}

std::string excerpt(std::string_view s, std::size_t cap) {
  std::string out;
  std::size_t i = 0;
  while (i < s.size()) {
    const std::size_t length = utf8_length(s, i);
    if (out.size() + std::max<std::size_t>(length, 1) > cap) break;
    if (length == 0 || (length == 1 && static_cast<unsigned char>(s[i]) < 0x20)) {
      out += '?';
      ++i;
    } else {
      out.append(s, i, length);
      i += length;
    }
  }
  if (i < s.size()) out += "...";
  return out;
}

}  // namespace driftd
