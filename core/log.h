// Log: one line an event on standard error, `key=value` after a message, levels debug to error.
//
// The only way driftd's code writes prose while it runs. Thread-safe. Never pass a secret; a value
// that comes from outside goes through `excerpt` (core/text.h) first.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace driftd::log {

enum class Level { kDebug, kInfo, kWarning, kError, kOff };

// Default: kInfo, text to standard error. Call before threads start.
void set_level(Level level);

using Pairs = std::initializer_list<std::pair<std::string_view, std::string>>;

void debug(std::string_view message, Pairs pairs = {});
void info(std::string_view message, Pairs pairs = {});
void warning(std::string_view message, Pairs pairs = {});
void error(std::string_view message, Pairs pairs = {});

}  // namespace driftd::log
