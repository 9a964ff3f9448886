#include "core/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "core/text.h"

namespace driftd::log {
namespace {

spdlog::logger& logger() {
  static const auto instance = [] {
    auto made = std::make_shared<spdlog::logger>("driftd", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-5l %v");
    made->flush_on(spdlog::level::debug);
    return made;
  }();
  return *instance;
}

bool needs_quotes(unsigned char c) { return c <= ' ' || c == '"' || c == '=' || c == 0x7f; }

void write(spdlog::level::level_enum level, std::string_view message, Pairs pairs) {
  if (!logger().should_log(level)) return;
  std::string line(message);
  for (const auto& [key, value] : pairs) {
    line += ' ';
    line += key;
    line += '=';
    if (value.empty() || std::any_of(value.begin(), value.end(), needs_quotes)) {
      append_json_string(line, value);
    } else {
      line += value;
    }
  }
  logger().log(level, "{}", line);
}

}  // namespace

void set_level(Level level) {
  static constexpr spdlog::level::level_enum kLevels[] = {spdlog::level::debug, spdlog::level::info, spdlog::level::warn,
                                                          spdlog::level::err, spdlog::level::off};
  logger().set_level(kLevels[static_cast<int>(level)]);
}

void debug(std::string_view message, Pairs pairs) { write(spdlog::level::debug, message, pairs); }
void info(std::string_view message, Pairs pairs) { write(spdlog::level::info, message, pairs); }
void warning(std::string_view message, Pairs pairs) { write(spdlog::level::warn, message, pairs); }
void error(std::string_view message, Pairs pairs) { write(spdlog::level::err, message, pairs); }

}  // namespace driftd::log
