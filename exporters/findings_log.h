// FindingsLog: findings as JSON lines in a file, rotated by size, that can be cut back to a
// position.
//
// `path` is the file being written, `path`.1 the one before it; a third never exists. Every
// rotation begins a new generation, and a position is {generation, offset}: a checkpoint stores it,
// and after a crash truncate_to(position) removes what came later, so that it is computed and
// written again without duplicates. `path`.state holds the generation in a few bytes; rotation and
// its undoing write there first what they are about to do, so that a kill at any instant is
// repaired by open().
//
// Only whole lines are ever visible to readers between calls: a write that the disk refuses is cut
// off again. What could not be written stays in memory (at most Options::buffer bytes) for the next
// flush; beyond that findings are dropped and counted.
//
// Thread-safety: none; one thread owns it. Cost: append formats into memory and writes once a 64
// KiB; flush one write; sync one fdatasync.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/finding.h"
#include "core/result.h"
#include "core/telemetry.h"

namespace driftd::exporters {

struct LogPosition {
  std::uint64_t generation = 0;  // rotations before
  std::uint64_t offset = 0;      // bytes in the file of that generation
  bool operator==(const LogPosition&) const = default;
};

class FindingsLog {
 public:
  struct Options {
    std::string path;
    std::uint64_t max_size = 256ULL << 20;  // bytes; a file is rotated before it would pass this
    std::size_t buffer = 4U << 20;          // bytes kept while the disk refuses
  };

  // Opens or creates the file and finishes what a killed process left half done. A line without its
  // end at the end of the file is removed. kIo: the file cannot be opened, written or locked (one
  // process writes a log). `telemetry` may be null and must outlive the log.
  static Result<std::unique_ptr<FindingsLog>> open(const Options& options, Telemetry* telemetry);
  ~FindingsLog();  // flushes
  FindingsLog(const FindingsLog&) = delete;
  FindingsLog& operator=(const FindingsLog&) = delete;

  // Call after open() with the newest checkpoint's position, before append(). A position whose file
  // was rotated away leaves an empty log. kCorrupt: the files are older or shorter than the
  // position (deleted, replaced); they are left as they are, and the log can be used. After kIo
  // open it anew.
  Status truncate_to(const LogPosition& position);

  // Takes the findings into memory and writes when enough have come together. kIo: the disk refused
  // (full, for instance); nothing was lost yet unless the message says so.
  Status append(const std::vector<Finding>& findings);

  // Writes what is in memory.
  Status flush();

  // flush() and fdatasync; what a checkpoint calls before it stores position().
  Status sync();

  // Behind the last line that is in the file. What is still in memory comes after it.
  LogPosition position() const { return position_; }

 private:
  FindingsLog(Options options, Telemetry* telemetry);
  Status recover();
  Status open_file();
  Status write_state(std::uint64_t generation, const char* intent);
  Status rotate();
  Status settle();
  Status undo_rotation(const LogPosition& position);
  Status start_over(std::uint64_t generation);
  Status cut(std::uint64_t size);
  Status write_lines(std::size_t bytes);
  Status sync_file();
  Status write_again(std::uint64_t from, std::uint64_t to);
  Status failed(Status status);
  Error io_error(const std::string& what, const std::string& path) const;

  Options options_;
  std::string older_;  // path.1
  std::string state_;  // path.state
  int file_ = -1;
  bool settled_ = true;       // path.state names the generation of path
  bool must_cut_ = false;     // something may be behind position_
  bool sync_failed_ = false;  // so what is in the file from synced_ on may not be on the disk
  std::uint64_t synced_ = 0;
  LogPosition position_;
  std::string pending_;                  // whole lines that are not in the file yet
  std::vector<std::size_t> line_sizes_;  // of pending_
  Series* failures_ = nullptr;
  Series* dropped_ = nullptr;
};

}  // namespace driftd::exporters
