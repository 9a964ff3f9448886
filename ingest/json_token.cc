#include "ingest/json_token.h"

#include <algorithm>
#include <cstdint>

namespace driftd::ingest {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Four hex digits at `at`; -1 when there are none.
std::int32_t hex4(std::string_view s, std::size_t at) {
  if (at + 4 > s.size()) return -1;
  std::int32_t v = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    const char c = s[i];
    const int d = is_digit(c) ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
    if (d < 0) return -1;
    v = v * 16 + d;
  }
  return v;
}

void append_utf8(std::string& out, std::uint32_t c) {
  const auto byte = [&](std::uint32_t v) { out += static_cast<char>(v); };
  if (c < 0x80) return byte(c);
  if (c < 0x800) {
    byte(0xC0 | (c >> 6));
  } else {
    if (c < 0x10000) {
      byte(0xE0 | (c >> 12));
    } else {
      byte(0xF0 | (c >> 18));
      byte(0x80 | ((c >> 12) & 0x3F));
    }
    byte(0x80 | ((c >> 6) & 0x3F));
  }
  byte(0x80 | (c & 0x3F));
}

// The code point of \uXXXX (a surrogate pair when needed) at `at`, behind the u; moves `at` on.
std::int32_t code_point(std::string_view s, std::size_t& at) {
  const std::int32_t high = hex4(s, at);
  at += 4;
  if (high < 0xD800 || high > 0xDFFF) return high;
  if (high > 0xDBFF || s.substr(std::min(at, s.size()), 2) != "\\u") return -1;
  const std::int32_t low = hex4(s, at + 2);
  if (low < 0xDC00 || low > 0xDFFF) return -1;
  at += 6;
  return 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
}

std::size_t skip_digits(std::string_view s, std::size_t at) {
  while (at < s.size() && is_digit(s[at])) ++at;
  return at;
}

// End of the integer part; 0 when there is none.
std::size_t integer_end(std::string_view s) {
  const std::size_t first = !s.empty() && s[0] == '-' ? 1 : 0;
  const std::size_t end = skip_digits(s, first);
  if (end == first || (s[first] == '0' && end > first + 1)) return 0;
  return end;
}

}  // namespace

std::string_view string_body(const char* raw, const char* end) {
  const char* at = raw;
  while (at < end && *at != '"') at += *at == '\\' ? 2 : 1;
  return {raw, static_cast<std::size_t>(std::min(at, end) - raw)};
}

bool unescape(std::string_view body, std::string& out) {
  static constexpr std::string_view kNames = "\"\\/bfnrt";
  static constexpr std::string_view kValues = "\"\\/\b\f\n\r\t";
  out.clear();
  for (std::size_t i = 0; i < body.size();) {
    if (body[i] != '\\') {
      out += body[i++];
      continue;
    }
    if (i + 1 >= body.size()) return false;
    const char name = body[i + 1];
    i += 2;
    if (name == 'u') {
      const std::int32_t c = code_point(body, i);
      if (c < 0) return false;
      append_utf8(out, static_cast<std::uint32_t>(c));
      continue;
    }
    const std::size_t known = kNames.find(name);
    if (known == std::string_view::npos) return false;
    out += kValues[known];
  }
  return true;
}

bool is_json_integer(std::string_view token) { return !token.empty() && integer_end(token) == token.size(); }

bool is_json_number(std::string_view token) {
  std::size_t at = integer_end(token);
  if (at == 0) return false;
  if (at < token.size() && token[at] == '.') {
    const std::size_t end = skip_digits(token, at + 1);
    if (end == at + 1) return false;
    at = end;
  }
  if (at < token.size() && (token[at] == 'e' || token[at] == 'E')) {
    ++at;
    if (at < token.size() && (token[at] == '+' || token[at] == '-')) ++at;
    const std::size_t end = skip_digits(token, at);
    if (end == at) return false;
    at = end;
  }
  return at == token.size();
}

std::size_t nesting(std::string_view json) {
  std::size_t depth = 0, most = 0;
  for (std::size_t i = 0; i < json.size(); ++i) {
    switch (json[i]) {
      case '{':
      case '[':
        most = std::max(most, ++depth);
        break;
      case '}':
      case ']':
        depth -= depth > 0 ? 1 : 0;
        break;
      case '"':
        i += string_body(json.data() + i + 1, json.data() + json.size()).size() + 1;
        break;
      default:
        break;
    }
  }
  return most;
}

}  // namespace driftd::ingest
