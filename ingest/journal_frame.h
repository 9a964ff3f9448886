// The journal's bytes: segment headers and frames (docs/FORMATS.md, "Journal").
//
// A frame carries its own sequence number and a CRC-32C, so that a torn or flipped one is told from
// a good one, and the next good one behind it can be found. Pure functions; views point into the
// bytes given. Cost: one CRC pass over a frame.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/clock.h"
#include "core/time.h"

namespace driftd::ingest {

struct JournalEntry {
  std::int64_t sequence = 0;    // from 0, without holes in a segment; the record's position
  Time arrival = kNoTime;       // when driftd took it
  std::uint32_t partition = 0;  // virtual partition
  std::uint32_t packet_id = 0;  // MQTT packet identifier; 0: none
  std::string_view topic;       // MQTT topic; empty for HTTP
  std::string_view payload;
  Clock::Behind behind = {};  // how far `arrival` may be behind, neither below 0
};

struct SegmentHeader {
  std::uint32_t partitions = 0;     // number of virtual partitions, the same in all segments
  std::int64_t first_sequence = 0;  // of the segment's first frame
};

inline constexpr std::size_t kSegmentHeaderBytes = 24;
inline constexpr std::size_t kFrameOverhead = 36;
inline constexpr std::size_t kMostFrameOverhead = kFrameOverhead + 2 * sizeof(Duration);  // where `behind` is not 0
inline constexpr std::size_t kMaxFrameBytes = std::size_t{1} << 30;

std::string encode_header(const SegmentHeader& header);
std::optional<SegmentHeader> decode_header(std::string_view bytes);

std::size_t frame_size(const JournalEntry& entry);

// Precondition: frame_size() is below kMaxFrameBytes.
void append_frame(std::string& out, const JournalEntry& entry);

struct FrameRead {
  enum class Kind {
    kGood,
    kShort,    // the bytes end before the frame does; `size` is what it claims, at least 8
    kDamaged,  // not a frame
  };
  Kind kind = Kind::kDamaged;
  std::size_t size = 0;
  JournalEntry entry;
};
FrameRead read_frame(std::string_view bytes);

// Where frames stand next to each other from: the sequence that the next one has, and how many damaged bytes
// lie between the last good one and where the next is looked for.
struct FrameOrder {
  std::int64_t expected = 0;
  std::size_t damaged = 0;

  // A damaged byte may have been of a record, but of no more records than frames fit there: what has another
  // number was never written here, such as a frame that a sender has put into its payload.
  bool allows(std::int64_t sequence) const {
    return sequence >= expected && static_cast<std::uint64_t>(sequence - expected) <= damaged / kFrameOverhead;
  }
};

// Where the next whole, good frame that `order` allows starts, behind the bytes at `from`, which are none. Tried
// first where the frame there says that it ends. `bytes` must go on to the segment's end.
std::optional<std::size_t> find_frame(std::string_view bytes, std::size_t from, FrameOrder order);

}  // namespace driftd::ingest
