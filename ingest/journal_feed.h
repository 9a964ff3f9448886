// JournalFeed: a journal as the partitions of a source: assignment, batches in order, and deletion
// of what every partition's checkpoint is past. The sources that journal share it.
//
// A record's partition was chosen when it was journaled; its position is its sequence number.
// Thread-safety: one polling thread; lag() from any. Cost: a journal read a batch, no copy.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "ingest/journal.h"
#include "ingest/journal_cursor.h"
#include "ingest/source.h"

namespace driftd::ingest {

class JournalFeed {
 public:
  // `keep`: so many of the newest records stay readable although nobody needs them, as long as there is room.
  JournalFeed(std::unique_ptr<Journal> journal, const SourceContext& context, std::uint32_t partitions, std::int64_t keep = 0);

  // Asks the handler where each partition goes on. New records get numbers behind the newest of these
  // positions: when the journal ends before it (it was moved away, or is older than the checkpoint), that is
  // a gap, and the partitions warm up. Error{kIo}: the disk refuses; nothing else is to be called then.
  Status open(SourceHandler& handler);
  void close();

  // Fills `out` with records of one partition; false when there are none. Error{kIo}, {kCorrupt}:
  // the journal cannot be read.
  Result<bool> next(RawBatch& out);
  // As Source::release.
  void release(std::uint32_t partition, std::int64_t position);
  // As Source::hold_back. What was passed over meanwhile is read once more, from where that began.
  void hold_back(const std::set<std::uint32_t>& partitions);
  // As Source::at_end, which the journal knows.
  std::set<std::uint32_t> at_end(const std::set<std::uint32_t>& partitions, const std::set<std::uint32_t>& before);

  Journal& journal() { return *journal_; }
  // Records that are journaled and not yet handed over; some more while partitions are held back.
  std::int64_t lag() const;
  // Those that next() would go through now.
  std::int64_t unread() const;

 private:
  static constexpr std::int64_t kNone = INT64_MAX;
  struct Partition {
    std::int64_t start = 0;     // records before it are done
    std::int64_t handed = 0;    // position behind the newest record handed over
    std::int64_t released = 0;  // records before it are not needed any more
    bool held_back = false;
    std::int64_t passed_over = kNone;  // its oldest record that was, while it was held back
    std::int64_t asked_end = -1;       // where the journal ended when at_end() was asked of it last
  };
  Status begin_behind_checkpoint(SourceHandler& handler);
  void sort_out(JournalCursor::Chunk& chunk);
  void read_again(std::int64_t from);
  std::int64_t done_until() const;
  void report(const JournalCursor::Chunk::Gap& gap);
  void count_gap(std::int64_t lost);

  std::unique_ptr<Journal> journal_;
  SourceContext context_;
  std::int64_t keep_;
  SourceHandler* handler_ = nullptr;
  std::vector<Partition> partitions_;
  std::int64_t newest_ = 0;                                // the newest of their starts
  JournalCursor::Chunk::Gap hole_{.first = 0, .next = 0};  // between the journal's end and newest_; said already
  std::unique_ptr<JournalCursor> cursor_;
  std::deque<RawBatch> ready_;
  std::int64_t seen_ = 0;                         // damage before it was reported
  std::atomic<std::int64_t> read_{0};             // the cursor's position, for lag()
  std::atomic<std::int64_t> waiting_{0};          // records in ready_, likewise
  std::atomic<std::int64_t> passed_over_{kNone};  // the oldest of all partitions, likewise
};

}  // namespace driftd::ingest
