// driftd run: the service until SIGTERM or SIGINT; SIGHUP reloads.
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

#include "app/commands/commands.h"
#include "app/run/config_change.h"
#include "app/run/service.h"
#include "core/log.h"

namespace driftd::app {
namespace {

// sd_notify(3): tells systemd, when there is one.
void notify(const char* state) {
  const char* path = std::getenv("NOTIFY_SOCKET");
  if (path == nullptr || std::strlen(path) >= sizeof(sockaddr_un::sun_path)) return;
  const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::strcpy(address.sun_path, path);  // NOLINT: the length was checked
  if (address.sun_path[0] == '@') address.sun_path[0] = '\0';
  const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + std::strlen(path));
  sendto(fd, state, std::strlen(state), MSG_NOSIGNAL, reinterpret_cast<sockaddr*>(&address), size);
  close(fd);
}

// Whether systemd wants to hear that driftd lives (WatchdogSec=), sd_watchdog_enabled(3).
bool watched() {
  const char* microseconds = std::getenv("WATCHDOG_USEC");
  const char* pid = std::getenv("WATCHDOG_PID");
  return microseconds != nullptr && (pid == nullptr || std::to_string(getpid()) == pid);
}

}  // namespace

int run_command(const std::string& path) {
  // Blocked before any thread starts, so that only sigtimedwait below takes them.
  sigset_t signals;
  sigemptyset(&signals);
  for (const int s : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&signals, s);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);       // its memory has secrets
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);  // a core that goes through a pipe (core_pattern) knows no limit
  auto config = load_config(path);
  if (!config) return fail(config.error());
  log::set_level(log_level(config->service));
  Service service(std::move(*config), path);
  if (const Status s = service.start(); !s) {
    service.stop();
    return fail(s.error());
  }
  notify("READY=1");
  const timespec tick{0, 200 * kMillisecond};
  const bool tell_watchdog = watched();
  std::uint64_t beats = 0;
  std::optional<std::uint64_t> reload;
  for (;;) {
    if (reload && service.reloaded(*reload)) {
      reload.reset();
      notify("READY=1");
    }
    if (tell_watchdog && service.beats() != beats) {
      beats = service.beats();
      notify("WATCHDOG=1");
    }
    const int signal = sigtimedwait(&signals, nullptr, &tick);
    if (signal == SIGHUP) {
      notify("RELOADING=1");
      reload = service.ask_reload();  // what goes wrong is in the log, and the old configuration stays
    } else if (signal == SIGTERM || signal == SIGINT) {
      break;
    }
  }
  notify("STOPPING=1");
  log::info("stopping: draining and checkpointing");
  // A shutdown that hangs is ended by the alarm; the newest checkpoint is whole either way.
  std::signal(SIGALRM, [](int) {
    static constexpr std::string_view kWhy =
        "driftd: stopping took longer than service.shutdown_grace, so it ends without its last checkpoint; the next start goes on "
        "from the one before\n";
    pollfd log{STDERR_FILENO, POLLOUT, 0};
    // A signal handler may do no more, and a pipe that nobody reads must not hold it up.
    if (poll(&log, 1, 0) == 1 && (log.revents & POLLOUT) != 0) (void)!write(STDERR_FILENO, kWhy.data(), kWhy.size());
    _exit(kExitFailure);
  });
  alarm(static_cast<unsigned>(service.shutdown_grace() / kSecond + 1));
  service.stop();
  log::info("stopped");
  // Everything is on the disk. Threads of libraries may still run (keep_until_exit()), and what they would do to
  // what is destroyed at an exit in good order must not decide how this ends.
  std::fflush(nullptr);
  std::_Exit(kExitOk);
}

}  // namespace driftd::app
