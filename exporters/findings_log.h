// FindingsLog: findings as JSON lines in a file that is rotated by size: FILE, then FILE.1 when full.
//
// Its position is part of a checkpoint: after a crash the log is cut back to it, so that what is computed
// again is not there twice. A position that rotation has moved away is found in FILE.1. Thread-safety: none.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/result.h"

namespace driftd::exporters {

struct LogPosition {
  std::uint64_t rotations = 0;  // of the log so far
  std::uint64_t offset = 0;     // bytes of FILE
};

class FindingsLog {
 public:
  // Opens or makes FILE and cuts it back to `position`.
  static Result<std::unique_ptr<FindingsLog>> open(const std::string& path, std::uint64_t max_size, LogPosition position);
  ~FindingsLog();

  // Appends whole lines. On an error (disk full) nothing of them stays in the file.
  Status append(std::string_view lines);
  // Makes what was appended durable.
  Status sync();
  LogPosition position() const { return position_; }

 private:
  FindingsLog(std::string path, std::uint64_t max_size) : path_(std::move(path)), max_size_(max_size) {}
  Status rotate();
  Status reopen();

  std::string path_;
  std::uint64_t max_size_;
  int file_ = -1;
  LogPosition position_;
};

}  // namespace driftd::exporters
