// How references are named: NAME@VERSION, NAME@TAG or NAME@ALIAS.
//
// A name, a tag and an alias is a word, so that configurations, commands and URLs can say it as it is. Thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/result.h"

namespace driftd::stats {

// Letters, digits, _ - and dots; at least one.
bool is_reference_word(std::string_view text);

// NAME@WORD. NAME alone names none: it would mean another version after each build.
bool names_reference(std::string_view text);

// 3 of "3" and "v3"; 0 of a number that no version can have; nothing of a word.
std::optional<std::uint32_t> version_number(std::string_view what);

// Whether something new may be called so; the Error says why not.
Status check_reference_name(std::string_view name);
// `kind`: "tag" or "alias". Not a word that means a version: it could not be reached.
Status check_reference_word(std::string_view kind, std::string_view word);

}  // namespace driftd::stats
