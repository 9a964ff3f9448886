#include "core/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace driftd {
namespace {

Error io_error(const char* what, const std::string& path) {
  return {ErrorCode::kIo, std::string(what) + " " + path + ": " + std::strerror(errno)};
}

Status write_synced(const std::string& path, int flags, std::string_view bytes) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0640);
  if (fd < 0) return io_error("opening", path);
  Status done;
  while (done && !bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) done = io_error("writing", path);
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  if (done && ::fdatasync(fd) != 0) done = io_error("syncing", path);
  ::close(fd);
  return done;
}

}  // namespace

Status sync_folder(const std::string& folder) {
  const int fd = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return io_error("opening", folder);
  const Status done = ::fsync(fd) == 0 ? Status() : io_error("syncing", folder);
  ::close(fd);
  return done;
}

Status make_folder(const std::string& folder) {
  namespace fs = std::filesystem;
  std::error_code code;
  if (folder.empty() || fs::is_directory(folder, code)) return {};
  fs::path path = fs::path(folder).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // "a/b/"
  const std::string above = path.parent_path().string();
  if (const Status s = make_folder(above); !s) return s;
  fs::create_directory(path, code);
  if (code) return Error{ErrorCode::kIo, "making " + folder + ": " + code.message()};
  return sync_folder(above.empty() ? "." : above);
}

Status replace_file(const std::string& path, std::string_view bytes) {
  const std::string fresh = path + ".new";
  Status done = write_synced(fresh, O_TRUNC, bytes);
  if (done && std::rename(fresh.c_str(), path.c_str()) != 0) done = io_error("renaming", fresh);
  if (!done) {
    ::unlink(fresh.c_str());
    return done;
  }
  const std::string folder = std::filesystem::path(path).parent_path().string();
  return sync_folder(folder.empty() ? "." : folder);
}

Status append_to_file(const std::string& path, std::string_view bytes) { return write_synced(path, O_APPEND, bytes); }

}  // namespace driftd
