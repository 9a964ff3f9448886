#include "stats/reference_name.h"

#include <limits>
#include <string>

#include "core/text.h"

namespace driftd::stats {

bool is_reference_word(std::string_view text) {
  constexpr std::string_view kAllowed = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
  return !text.empty() && text.find_first_not_of(kAllowed) == std::string_view::npos;
}

bool names_reference(std::string_view text) {
  const std::size_t sign = text.find('@');
  return sign != std::string_view::npos && is_reference_word(text.substr(0, sign)) && is_reference_word(text.substr(sign + 1));
}

std::optional<std::uint32_t> version_number(std::string_view what) {
  const auto number = parse_integer(what.substr(what.starts_with('v') ? 1 : 0));
  if (!number) return std::nullopt;
  const bool possible = *number > 0 && *number <= std::numeric_limits<std::uint32_t>::max();
  return possible ? static_cast<std::uint32_t>(*number) : 0;
}

Status check_reference_name(std::string_view name) {
  if (is_reference_word(name)) return {};
  return Error{ErrorCode::kInvalidArgument,
               "'" + excerpt(name, 60) + "' is no name of a reference: it must be of letters, digits, _ - and dots"};
}

Status check_reference_word(std::string_view kind, std::string_view word) {
  const std::string what = "'" + excerpt(word, 60) + "' is no " + std::string(kind) + ": ";
  if (!is_reference_word(word)) return Error{ErrorCode::kInvalidArgument, what + "it must be of letters, digits, _ - and dots"};
  if (version_number(word)) return Error{ErrorCode::kInvalidArgument, what + "it means a version; take a word"};
  return {};
}

}  // namespace driftd::stats
