// A disk that takes its time or refuses: stands in for fdatasync and ftruncate in the whole test program, so that a test
// knows when the disk has what was written, and can make it wait or fail.
#pragma once

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

inline std::atomic<int> disk_writes_begun{0};
inline std::atomic<int> disk_writes_done{0};
inline std::atomic<int> disk_delay_ms{0};    // before each write
inline std::atomic<bool> disk_hangs{false};  // until it is false again
inline std::atomic<int> disk_sync_error{0};  // errno of fdatasync, which then syncs nothing
inline std::atomic<int> disk_cut_error{0};   // errno of ftruncate, which then cuts nothing

extern "C" inline __attribute__((used)) int fdatasync(int fd) {
  ++disk_writes_begun;
  ::usleep(static_cast<useconds_t>(disk_delay_ms * 1000));
  while (disk_hangs) ::usleep(1000);
  const int refused = disk_sync_error;
  const int code = refused == 0 ? static_cast<int>(::syscall(SYS_fdatasync, fd)) : -1;
  if (refused != 0) errno = refused;
  ++disk_writes_done;
  return code;
}

extern "C" inline __attribute__((used)) int ftruncate(int fd, off_t size) noexcept {
  const int refused = disk_cut_error;
  if (refused == 0) return static_cast<int>(::syscall(SYS_ftruncate, fd, size));
  errno = refused;
  return -1;
}
