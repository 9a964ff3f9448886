#include "core/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace driftd {
namespace {

Error io_error(const char* what, const std::string& path) {
  return {ErrorCode::kIo, std::string(what) + " " + path + ": " + std::strerror(errno)};
}

}  // namespace

Status sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io_error("opening", folder);
  const Status done = ::fsync(fd) == 0 ? Status() : io_error("syncing", folder);
  ::close(fd);
  return done;
}

}  // namespace driftd
