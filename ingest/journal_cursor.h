// JournalCursor: reads a journal in order, whole chunks of frames at a time.
//
// Damaged frames are stepped over and counted: the sequence numbers of those that follow tell how
// many there were. Thread-safety: one thread, which may be another than the ones that append.
// Cost: one read and one CRC pass; a chunk is about 256 KiB, or one frame when that is longer.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "ingest/journal.h"

namespace driftd::ingest {

class JournalCursor {
 public:
  // Starts at `from`, or at the oldest record when that is gone.
  JournalCursor(const Journal& journal, std::int64_t from);
  ~JournalCursor() { close_segment(); }
  JournalCursor(const JournalCursor&) = delete;
  JournalCursor& operator=(const JournalCursor&) = delete;

  struct Chunk {
    std::shared_ptr<std::string> bytes;  // what the entries' views point into
    std::vector<JournalEntry> entries;
    struct Gap {
      std::int64_t first, next;  // sequences that are missing: from, to one past the last
    };
    std::vector<Gap> gaps;  // what damage has cost before or among these, in order
  };
  // Fills `out` (cleared first); false when everything durable has been read and nothing is missing.
  Result<bool> next(Chunk& out);
  std::int64_t position() const { return next_; }  // the next sequence to come

 private:
  Status open_segment(const Journal::Extent& extent);
  void close_segment();
  Status read(const Journal::Extent& extent, std::string& bytes);
  void parse(const Journal::Extent& extent, Chunk& out);
  void skip_to(std::int64_t sequence, Chunk& out);

  const Journal& journal_;
  std::int64_t next_;
  int file_ = -1;
  std::int64_t segment_ = -1;  // first sequence of the open one
  std::uint64_t offset_ = 0;   // in it, of the next frame
  FrameOrder order_;           // of the next frame
  std::size_t want_;           // bytes to read at once
};

}  // namespace driftd::ingest
