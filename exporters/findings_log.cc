#include "exporters/findings_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace driftd::exporters {
namespace {

Error failed(const std::string& path, const char* what) {
  return {ErrorCode::kIo, "findings log " + path + ": " + what + ": " + std::strerror(errno)};
}

bool exists(const std::string& path) {
  struct stat s {};
  return stat(path.c_str(), &s) == 0;
}

// How often a log was rotated is kept beside it, so that a checkpoint's position can be told apart.
std::uint64_t read_rotations(const std::string& path) {
  const int f = ::open((path + ".rotations").c_str(), O_RDONLY | O_CLOEXEC);
  if (f < 0) return 0;
  char text[32] = {};
  const ssize_t n = ::read(f, text, sizeof text - 1);
  ::close(f);
  return n > 0 ? std::strtoull(text, nullptr, 10) : 0;
}

Status write_rotations(const std::string& path, std::uint64_t n) {
  const int f = ::open((path + ".rotations").c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (f < 0) return failed(path, "cannot note the rotation");
  const std::string text = std::to_string(n);
  const bool ok = ::write(f, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  ::close(f);
  return ok ? Status() : failed(path, "cannot note the rotation");
}

}  // namespace

Result<std::unique_ptr<FindingsLog>> FindingsLog::open(const std::string& path, std::uint64_t max_size, LogPosition position) {
  std::unique_ptr<FindingsLog> log(new FindingsLog(path, max_size));
  const std::uint64_t rotations = read_rotations(path);
  if (position.rotations + 1 == rotations && exists(path + ".1")) {
    // Rotated once since the checkpoint: what came after it stands at the end of FILE.1 and in FILE.
    if (::rename((path + ".1").c_str(), path.c_str()) != 0) return failed(path, "cannot take back the rotated file");
    if (const Status s = write_rotations(path, position.rotations); !s) return s.error();
  }
  log->position_.rotations = position.rotations + 1 == rotations ? position.rotations : rotations;
  if (const Status s = log->reopen(); !s) return s.error();
  if (log->position_.rotations == position.rotations && log->position_.offset > position.offset) {
    if (::ftruncate(log->file_, static_cast<off_t>(position.offset)) != 0) return failed(path, "cannot be cut back to the checkpoint");
    log->position_.offset = position.offset;
  }
  return log;
}

FindingsLog::~FindingsLog() {
  if (file_ >= 0) ::close(file_);
}

Status FindingsLog::reopen() {
  if (file_ >= 0) ::close(file_);
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file_ < 0) return failed(path_, "cannot be opened");
  struct stat s {};
  if (::fstat(file_, &s) != 0) return failed(path_, "cannot be measured");
  position_.offset = static_cast<std::uint64_t>(s.st_size);
  return {};
}

Status FindingsLog::append(std::string_view lines) {
  if (lines.empty()) return {};
  if (position_.offset > 0 && position_.offset + lines.size() > max_size_) {
    if (const Status s = rotate(); !s) return s;
  }
  std::string_view rest = lines;
  while (!rest.empty()) {
    const ssize_t n = ::write(file_, rest.data(), rest.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const Error error = failed(path_, "cannot be written");
      if (::ftruncate(file_, static_cast<off_t>(position_.offset)) != 0) return failed(path_, "cannot be cut back");
      return error;
    }
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  position_.offset += lines.size();
  return {};
}

Status FindingsLog::rotate() {
  if (::rename(path_.c_str(), (path_ + ".1").c_str()) != 0) return failed(path_, "cannot be rotated");
  ++position_.rotations;
  if (const Status s = write_rotations(path_, position_.rotations); !s) return s;
  return reopen();
}

Status FindingsLog::sync() {
  if (::fdatasync(file_) != 0) return failed(path_, "cannot be made durable");
  return {};
}

}  // namespace driftd::exporters
