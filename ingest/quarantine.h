// Quarantine: rejected records, and those that failed a check where that is asked for, on disk, for people to look at, in
// a folder of JSON-lines segments.
//
// One line a record: {"time","stream","partition","position","reason","detail","arrival","topic","key",
// "payload"} where a payload that is not UTF-8 stands as base64 under "payload_base64", and
// "truncated": true with "size" says that only its beginning was kept. A key that is longer than 256 bytes, or not
// printable UTF-8, stands under "key_base64" too, with "key_size" when it is longer than the 4096 that are kept. The folder holds at most
// `cap` bytes: when the newest segment is full, the oldest one goes. It never stops a stream: what
// cannot be written is dropped and counted.
// Thread-safety: none; one owner. Cost: a line is formatted in memory, files are touched by
// flush().
#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/reject.h"
#include "core/result.h"
#include "ingest/gate.h"

namespace driftd::ingest {

struct QuarantineOptions {
  std::string folder;  // made when missing; nobody else writes there
  std::string stream;
  std::uint64_t cap = 256ULL << 20;  // bytes of all segments together
  std::size_t payload_cap = 4096;    // bytes kept of a payload
};

// Stands for a RejectReason in records that are accepted and failed a check.
inline constexpr std::string_view kFailedReason = "failed";

class Quarantine {
 public:
  static constexpr int kSegments = 8;  // of cap / kSegments bytes each

  // Never fails: a folder that cannot be used makes every record a dropped one.
  Quarantine(QuarantineOptions options, const Clock& clock);

  // Keeps the record in memory until flush(); over 1 MiB of lines, flushes itself.
  void add(std::uint32_t partition, const RawRecord& record, RejectReason reason, std::string_view detail) {
    add(partition, record, std::string_view(to_string(reason)), detail);
  }
  // One that failed a check: its detail names check, field, reason and value, and the other checks that failed.
  void add_failed(std::uint32_t partition, const RawRecord& record, const GateMark& why);
  // Writes what was added. Call once a batch.
  void flush();
  // The same, and waits until the disk has all that was written. Costs nothing when that is so already. What the disk
  // may not have counts as dropped.
  void sync();

  std::uint64_t bytes() const { return bytes_; }           // on disk
  std::uint64_t dropped() const { return dropped_; }       // records, since it was made
  const std::string& trouble() const { return trouble_; }  // why the newest write failed; else empty

  // Paths of the segments in a quarantine's folder, oldest first; none when there is no folder. What is
  // in them is read by ingest/quarantine_reader.h.
  static Result<std::vector<std::string>> segments(const std::string& folder);

 private:
  struct Segment {
    std::uint64_t number = 0;
    std::uint64_t bytes = 0;
  };

  void add(std::uint32_t partition, const RawRecord& record, std::string_view reason, std::string_view detail);
  void make_room(std::uint64_t bytes);
  bool write(std::string_view lines);
  Status sync_segments();
  std::string path_of(std::uint64_t number) const;

  QuarantineOptions options_;
  const Clock& clock_;
  std::string lines_;
  std::deque<Segment> segments_;  // oldest first
  bool torn_ = false;             // the newest segment ends amid a line
  std::uint64_t bytes_ = 0;
  std::uint64_t dropped_ = 0;
  std::uint64_t unsynced_from_ = 0;  // number of the first segment that the disk may not have whole; 0: none
  std::uint64_t unsynced_ = 0;       // records in those that it may not have
  std::uint64_t synced_to_ = 0;      // number of the newest segment whose name the disk has
  std::string trouble_;
};

}  // namespace driftd::ingest
