// Journal: records on disk before anybody is told that driftd has them (HTTP 200, MQTT PUBACK).
//
// A folder of segments, NNNNNNNNNNNNNNNNNNNN.journal named by their first sequence number, each a
// header and frames (ingest/journal_frame.h). append() returns when its records are on the disk
// (fdatasync); callers that come together share one write. What append() refused is not in the
// journal: a write that failed half-way is cut off again. At most `cap` bytes. Segments that nobody
// needs any more are deleted by release(), and when append() needs their room the newest of them too:
// it has the numbers, so an empty one that goes on behind it is on the disk first.
//
// After a crash the last segment may end in the middle of a frame; open() cuts that tail, whose
// records were never acknowledged. Damage elsewhere costs the damaged frames only; readers report
// it (JournalCursor).
// Thread-safety: append(), make_room(), wait(), end(), bytes() from any thread; the rest from one reading
// thread. Cost: a CRC and a copy a record, one fdatasync a group.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "ingest/journal_frame.h"

namespace driftd::ingest {

struct JournalOptions {
  std::string folder;                   // made when missing; nobody else writes there
  std::uint64_t cap = 1ULL << 30;       // bytes of all segments
  std::uint64_t segment = 16ULL << 20;  // bytes after which the next one is begun
  std::uint32_t partitions = 16;        // for a new journal; one that exists keeps its own
};

class Journal {
 public:
  // Error{kCorrupt}: a segment has another one's name; Error{kInvalidArgument}: the journal has another
  // number of partitions; Error{kIo}.
  static Result<std::unique_ptr<Journal>> open(const JournalOptions& options);
  ~Journal();
  Journal(const Journal&) = delete;
  Journal& operator=(const Journal&) = delete;

  // Numbers the entries (their `sequence` is set) and makes them durable, all or none.
  // Error{kExhausted}: over the cap; Error{kIo}: the disk refused. Either may pass later.
  // Error{kInvalidArgument}: an empty journal could not take them.
  Status append(std::vector<JournalEntry>& entries);

  // Ok when frames of `size` bytes fit now; what nobody needs is deleted for them. Errors as append().
  Status make_room(std::uint64_t size);

  // The next record gets at least this number: someone knows of records before it that are not here any
  // more, and numbers must not be given twice. Call before the first append(). Error{kIo}.
  Status begin_at(std::int64_t sequence);

  // Blocks until end() > sequence or the deadline.
  void wait(std::int64_t sequence, Deadline deadline);
  // One past the newest durable record; the oldest record still kept.
  std::int64_t end() const;
  std::int64_t begin() const;
  std::uint64_t bytes() const;  // on disk
  // open() found the newest segment's header damaged and wrote it anew; records behind it may be lost.
  bool mended() const { return mended_; }
  // Ok when the folder takes a durable write now; for finding out that a full disk has room again.
  Status probe() const;

  // Everything before `sequence` is no longer needed; from `keep` on only as long as there is room.
  void release(std::int64_t sequence, std::int64_t keep = INT64_MAX);

  // For JournalCursor: the segment that holds `sequence`, and how much of it is durable.
  struct Extent {
    std::int64_t first = 0;   // sequence of the segment's first record
    std::uint64_t bytes = 0;  // durable
    bool last = true;         // no segment follows
    std::int64_t next = 0;    // first sequence of the one that follows
    std::string path;
  };
  Extent extent(std::int64_t sequence) const;

 private:
  struct Segment {
    std::int64_t first = 0;
    std::uint64_t bytes = 0;  // durable
  };
  explicit Journal(JournalOptions options) : options_(std::move(options)) {}

  Status recover();
  Status recover_last(Segment& segment);
  Status check_header(const Segment& segment, std::string_view bytes);
  std::uint32_t partitions_of_others() const;
  Status begin_segment(std::int64_t first);
  Result<std::uint64_t> find_room(std::unique_lock<std::mutex>& lock, std::uint64_t size);
  void delete_segment(std::int64_t first) const;
  struct Group;
  Status write_group(Group& group);
  Status cut_refused();
  std::string path_of(std::int64_t first) const;

  JournalOptions options_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Segment> segments_;  // oldest first; never empty after open()
  std::uint64_t bytes_ = 0;
  std::uint64_t promised_ = 0;  // bytes that append() has let in and not written yet
  std::int64_t needless_ = 0;   // nobody needs what is before it
  std::int64_t end_ = 0;        // durable
  int file_ = -1;               // of the last segment; used by the writing thread
  bool must_cut_ = false;       // bytes behind the durable ones may be on disk
  bool mended_ = false;

  // Calls of append() that one write serves. They are numbered when it is their turn, because the
  // write before may yet fail.
  struct Group {
    std::vector<std::vector<JournalEntry>*> members;
    std::uint64_t bytes = 0;  // at most, with the header of a segment that may be begun for it
    bool done = false;
    Status outcome;
  };
  std::shared_ptr<Group> waiting_;
  bool writing_ = false;
};

}  // namespace driftd::ingest
