#include "core/log.h"

#include <poll.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <mutex>

#include "core/text.h"

namespace driftd::log {
namespace {

constexpr int kPatienceMillis = 1000;

// Standard error, which may be a pipe that nobody reads (any more), or cannot be written: then lines are dropped, for whoever logs may hold
// a lock that all others need. How many it were is said when there is room again.
class StandardError final : public spdlog::sinks::base_sink<std::mutex> {
  void sink_it_(const spdlog::details::log_msg& message) override {
    if (dropped_ > 0) {
      if (!room(0) || !put("driftd: " + std::to_string(dropped_) + " lines of the log are missing here: they could not be written\n")) {
        ++dropped_;
        return;
      }
      dropped_ = 0;
    }
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    if (!put({line.data(), line.size()})) ++dropped_;
  }
  void flush_() override {}

  // A pipe has room for PIPE_BUF bytes or says that it has none.
  static bool room(int millis) {
    pollfd to{STDERR_FILENO, POLLOUT, 0};
    return poll(&to, 1, millis) == 1;
  }
  static bool put(std::string_view text) {
    while (!text.empty()) {
      if (!room(kPatienceMillis)) return false;
      const ssize_t written = ::write(STDERR_FILENO, text.data(), std::min<std::size_t>(text.size(), PIPE_BUF));
      if (written < 0 && errno != EINTR) return false;  // closed, or a file on a full disk
      text.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(written, 0)));
    }
    return true;
  }

  std::uint64_t dropped_ = 0;
};

spdlog::logger& logger() {
  // Never destroyed: a thread that was left to itself may log while the process ends.
  static auto* const instance = [] {
    auto* made = new spdlog::logger("driftd", std::make_shared<StandardError>());
    made->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %-5l %v");
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
