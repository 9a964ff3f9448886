#include "app/run/data_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace driftd::app {
namespace {

// The process's number, for people. That it can be written says more of a full disk, and earlier, than what SQLite
// makes of it ("unable to open database file").
bool write_owner(int fd) {
  const std::string owner = std::to_string(::getpid()) + "\n";
  if (::ftruncate(fd, 0) != 0) return false;
  const ssize_t wrote = ::write(fd, owner.data(), owner.size());
  if (wrote >= 0 && wrote < static_cast<ssize_t>(owner.size())) errno = ENOSPC;  // it took what there was room for
  return wrote == static_cast<ssize_t>(owner.size()) && ::fdatasync(fd) == 0;
}

}  // namespace

Result<std::unique_ptr<DataLock>> DataLock::take(const std::string& folder) {
  const std::string path = folder + "/lock";
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Error{ErrorCode::kIo, "cannot open " + path + ": " + std::strerror(errno) + "; driftd must be able to write in its data_dir"};
  }
  std::unique_ptr<DataLock> lock(new DataLock(fd));
  if (::flock(fd, LOCK_EX | LOCK_NB) == 0) {
    if (write_owner(fd)) return lock;
    return Error{ErrorCode::kIo, "cannot write " + path + ": " + std::strerror(errno) + "; driftd must be able to write in its data_dir"};
  }
  if (errno == EWOULDBLOCK) {
    return Error{ErrorCode::kUnavailable, "another driftd runs with data_dir " + folder + "; give each its own"};
  }
  return Error{ErrorCode::kIo, "cannot lock " + path + ": " + std::strerror(errno)};
}

DataLock::~DataLock() { ::close(fd_); }

}  // namespace driftd::app
