// A disk that takes its time: stands in for fdatasync in the whole test program, so that a test knows
// when the disk has what was written, and can make it wait.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

inline std::atomic<int> disk_writes_begun{0};
inline std::atomic<int> disk_writes_done{0};
inline std::atomic<int> disk_delay_ms{0};    // before each write
inline std::atomic<bool> disk_hangs{false};  // until it is false again

extern "C" inline __attribute__((used)) int fdatasync(int fd) {
  ++disk_writes_begun;
  ::usleep(static_cast<useconds_t>(disk_delay_ms * 1000));
  while (disk_hangs) ::usleep(1000);
  const int code = static_cast<int>(::syscall(SYS_fdatasync, fd));
  ++disk_writes_done;
  return code;
}
