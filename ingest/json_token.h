// What simdjson's on-demand parser leaves to its user: looking at single tokens of a record whose
// UTF-8 and string boundaries it has checked. Pure functions; cost linear in the token.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace driftd::ingest {

// Without the white space that follows the token.
inline std::string_view trimmed(std::string_view token) {
  while (!token.empty() && static_cast<unsigned char>(token.back()) <= ' ') token.remove_suffix(1);
  return token;
}

// The string that starts at `raw` (behind its opening quote), up to its closing quote, escapes
// kept.
std::string_view string_body(const char* raw, const char* end);

// Replaces the escapes of RFC 8259 section 7; false when one is damaged (also lone surrogates).
bool unescape(std::string_view body, std::string& out);

bool is_json_number(std::string_view token);
bool is_json_integer(std::string_view token);

// Levels of brackets in a value: 0 for a scalar, 1 for {} or [], ...
std::size_t nesting(std::string_view json);

}  // namespace driftd::ingest
