// Small text helpers that every folder needs: numbers, JSON strings, suggestions.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace driftd {

// Shortest decimal that reads back as the same double ("0.1", "1e+300"). NaN and infinities have no
// JSON form: precondition std::isfinite(v).
void append_number(std::string& out, double v);
std::string format_number(double v);

// A whole text as a double; nullopt when it is not exactly one number. "nan"/"inf" are read as such.
std::optional<double> parse_number(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);

// `s` as a JSON string with its quotes. Bytes that are not valid UTF-8 become U+FFFD.
void append_json_string(std::string& out, std::string_view s);

// The nearest of `known` within an edit distance of a third of its length, for "did you mean".
std::optional<std::string> nearest(std::string_view word, const std::vector<std::string>& known);

// "a, b, c".
std::string join(const std::vector<std::string>& parts, std::string_view separator = ", ");

// At most `cap` bytes of s, cut at a UTF-8 boundary with "..." when cut; control bytes become '?'.
std::string excerpt(std::string_view s, std::size_t cap = 120);

}  // namespace driftd
