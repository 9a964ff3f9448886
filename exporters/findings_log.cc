#include "exporters/findings_log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>

#include "core/files.h"

namespace driftd::exporters {
namespace {

constexpr std::size_t kWriteAt = 64U << 10;
// What path.state says beside the generation. kRotating: path is about to become path.1 and the
// generation named begins; kUndoing: path.1 is about to become path again, of the generation named.
constexpr const char* kSteady = "steady";
constexpr const char* kRotating = "rotating";
constexpr const char* kUndoing = "undoing";

// -1 when there is no such file.
std::int64_t size_of(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? static_cast<std::int64_t>(info.st_size) : -1;
}

// Whether the file is as long, and a line ends there: in one that somebody replaced it may not, and what is cut off in the
// middle of a line would be the beginning of the next one.
bool line_ends_at(const std::string& path, std::uint64_t offset) {
  const std::int64_t size = size_of(path);
  if (size < 0 || static_cast<std::uint64_t>(size) < offset) return false;
  if (offset == 0) return true;
  std::ifstream in(path, std::ios::binary);
  in.seekg(static_cast<std::streamoff>(offset - 1));
  return in.get() == '\n';
}

}  // namespace

FindingsLog::FindingsLog(Options options, Telemetry* telemetry)
    : options_(std::move(options)), older_(options_.path + ".1"), state_(options_.path + ".state") {
  if (telemetry == nullptr) return;
  failures_ = &telemetry->series(Metric::kFindingsLogFailures);
  dropped_ = &telemetry->series(Metric::kFindingsLogDropped);
}

FindingsLog::~FindingsLog() {
  if (file_ < 0) return;
  (void)flush();
  if (file_ >= 0) ::close(file_);
}

Error FindingsLog::io_error(const std::string& what, const std::string& path) const {
  return {ErrorCode::kIo, "findings log: " + what + " " + path + ": " + std::strerror(errno)};
}

Status FindingsLog::failed(Status status) {
  if (!status.ok() && failures_ != nullptr) failures_->add();
  return status;
}

Result<std::unique_ptr<FindingsLog>> FindingsLog::open(const Options& options, Telemetry* telemetry) {
  std::unique_ptr<FindingsLog> log(new FindingsLog(options, telemetry));
  if (Status status = log->recover(); !status) return status.error();
  if (Status status = log->open_file(); !status) return status.error();
  return log;
}

// Reads path.state and finishes what it says was begun.
Status FindingsLog::recover() {
  std::ifstream in(state_);
  std::string intent;
  if (!(in >> position_.generation >> intent)) return {};  // a new log: generation 0
  if (intent == kRotating && size_of(options_.path) > 0) {
    --position_.generation;  // killed before the rename: the old generation goes on
  } else if (intent == kUndoing && size_of(older_) >= 0 && ::rename(older_.c_str(), options_.path.c_str()) != 0) {
    return io_error("renaming", older_);
  }
  return intent == kSteady ? Status() : write_state(position_.generation, kSteady);
}

// Opens path and cuts off a line without its end.
Status FindingsLog::open_file() {
  if (file_ >= 0) ::close(file_);
  file_ = ::open(options_.path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
  if (file_ < 0) return io_error("opening", options_.path);
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    return Error{ErrorCode::kIo, "findings log: " + options_.path + " is being written by another process"};
  }
  const std::int64_t size = size_of(options_.path);
  synced_ = static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0));
  std::string block(4096, '\0');
  for (std::int64_t end = size; end > 0;) {
    const std::int64_t from = std::max<std::int64_t>(0, end - static_cast<std::int64_t>(block.size()));
    const ssize_t n = ::pread(file_, block.data(), static_cast<std::size_t>(end - from), from);
    if (n != end - from) return io_error("reading", options_.path);
    const std::size_t line_end = block.rfind('\n', static_cast<std::size_t>(n) - 1);
    if (line_end != std::string::npos) {
      return cut(static_cast<std::uint64_t>(from) + line_end + 1);
    }
    end = from;
  }
  return cut(0);
}

// Syncs the folder of all of the log's files too, and with it what was renamed there before.
Status FindingsLog::write_state(std::uint64_t generation, const char* intent) {
  const Status written = replace_file(state_, std::to_string(generation) + " " + intent + "\n");
  if (!written) return written.error().at("findings log");
  position_.generation = generation;
  settled_ = intent == kSteady;
  return {};
}

Status FindingsLog::cut(std::uint64_t size) {
  position_.offset = size;
  synced_ = std::min(synced_, size);
  must_cut_ = ::ftruncate(file_, static_cast<off_t>(size)) != 0;
  if (must_cut_) return io_error("cutting", options_.path);
  return {};
}

Status FindingsLog::rotate() {
  if (Status status = sync_file(); !status) return status;
  if (Status status = write_state(position_.generation + 1, kRotating); !status) return status;
  if (::rename(options_.path.c_str(), older_.c_str()) != 0) {
    --position_.generation;
    return io_error("renaming", options_.path);
  }
  return settle();
}

// Nothing may be written while path.state says that something is under way: recover() would take it
// for the other generation.
Status FindingsLog::settle() {
  if (Status status = open_file(); !status) return status;
  return write_state(position_.generation, kSteady);
}

Status FindingsLog::undo_rotation(const LogPosition& position) {
  if (::truncate(older_.c_str(), static_cast<off_t>(position.offset)) != 0) {
    return io_error("cutting", older_);
  }
  if (Status status = write_state(position.generation, kUndoing); !status) return status;
  if (::rename(older_.c_str(), options_.path.c_str()) != 0) return io_error("renaming", older_);
  return settle();
}

Status FindingsLog::start_over(std::uint64_t generation) {
  if (Status status = cut(0); !status) return status;
  if (::unlink(older_.c_str()) != 0 && errno != ENOENT) return io_error("removing", older_);
  return write_state(generation, kSteady);
}

Status FindingsLog::truncate_to(const LogPosition& position) {
  pending_.clear();
  line_sizes_.clear();
  if (position_.generation == position.generation) {
    if (line_ends_at(options_.path, position.offset)) return failed(cut(position.offset));
  } else if (position_.generation == position.generation + 1) {
    if (line_ends_at(older_, position.offset)) return failed(undo_rotation(position));
  } else if (position_.generation > position.generation) {
    return failed(start_over(position_.generation + 1));
  } else if (Status status = write_state(position.generation + 1, kSteady); !status) {
    return failed(status);  // positions from now on must lie behind the checkpoint's
  }
  return Error{ErrorCode::kCorrupt, "findings log: " + options_.path +
                                        " is older or shorter than the checkpoint says; was it replaced? Findings that "
                                        "are computed again may stand in it twice"};
}

Status FindingsLog::append(const std::vector<Finding>& findings) {
  std::size_t lost = 0;
  std::string line;
  for (const Finding& finding : findings) {
    line.clear();
    append_json(line, finding);
    line += '\n';
    if (pending_.size() + line.size() > options_.buffer && !flush()) {
      ++lost;
      continue;
    }
    pending_ += line;
    line_sizes_.push_back(line.size());
  }
  if (lost != 0 && dropped_ != nullptr) dropped_->add(static_cast<double>(lost));
  if (lost != 0) {
    return Error{ErrorCode::kIo, "findings log: the disk refuses " + options_.path + " and the buffer is full: " + std::to_string(lost) +
                                     " findings were lost"};
  }
  return pending_.size() >= kWriteAt ? flush() : Status();
}

// Writes the first `bytes` of pending_, which are whole lines; all of them or none.
Status FindingsLog::write_lines(std::size_t bytes) {
  std::size_t at = 0;
  while (at < bytes) {
    const ssize_t n = ::write(file_, pending_.data() + at, bytes - at);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      const Error error = io_error("writing", options_.path);
      (void)cut(position_.offset);  // else before the next lines
      return error;
    }
    at += static_cast<std::size_t>(n);
  }
  position_.offset += bytes;
  pending_.erase(0, bytes);
  return {};
}

Status FindingsLog::flush() {
  if (!settled_ || file_ < 0) {
    if (Status status = settle(); !status) return failed(status);
  }
  if (must_cut_ && !line_sizes_.empty()) {
    if (Status status = cut(position_.offset); !status) return failed(status);
  }
  while (!line_sizes_.empty()) {
    std::size_t lines = 0, bytes = 0;
    while (lines < line_sizes_.size() && position_.offset + bytes + line_sizes_[lines] <= options_.max_size) {
      bytes += line_sizes_[lines++];
    }
    if (lines == 0 && position_.offset == 0) bytes = line_sizes_[lines++];  // longer than a file
    Status status = lines == 0 ? rotate() : write_lines(bytes);
    if (!status) return failed(status);
    line_sizes_.erase(line_sizes_.begin(), line_sizes_.begin() + static_cast<std::ptrdiff_t>(lines));
  }
  return {};
}

Status FindingsLog::sync() {
  if (Status status = flush(); !status) return status;
  return failed(sync_file());
}

// After an fdatasync that failed the next one may succeed without what was refused: the system takes those pages for written
// (fsync(2), "the next call"). So they are written again first.
Status FindingsLog::sync_file() {
  if (sync_failed_) {
    if (Status status = write_again(synced_, position_.offset); !status) return status;
  }
  sync_failed_ = ::fdatasync(file_) != 0;
  if (sync_failed_) return io_error("syncing", options_.path);
  synced_ = position_.offset;
  return {};
}

Status FindingsLog::write_again(std::uint64_t from, std::uint64_t to) {
  const int file = ::open(options_.path.c_str(), O_WRONLY | O_CLOEXEC);  // file_ only appends
  if (file < 0) return io_error("opening", options_.path);
  std::string block(kWriteAt, '\0');
  Status done;
  while (done && from < to) {
    const std::size_t size = std::min<std::uint64_t>(block.size(), to - from);
    const ssize_t got = ::pread(file_, block.data(), size, static_cast<off_t>(from));
    if (got <= 0) done = io_error("reading", options_.path);
    const ssize_t wrote = done ? ::pwrite(file, block.data(), static_cast<std::size_t>(got), static_cast<off_t>(from)) : 0;
    if (done && wrote <= 0) done = io_error("writing", options_.path);
    from += static_cast<std::uint64_t>(std::max<ssize_t>(wrote, 0));
  }
  ::close(file);
  return done;
}

}  // namespace driftd::exporters
