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

#include "core/time.h"

namespace driftd::ingest {

struct JournalEntry {
  std::int64_t sequence = 0;    // from 0, without holes in a segment; the record's position
  Time arrival = kNoTime;       // when driftd took it
  std::uint32_t partition = 0;  // virtual partition
  std::uint32_t packet_id = 0;  // MQTT packet identifier; 0: none
  std::string_view topic;       // MQTT topic; empty for HTTP
  std::string_view payload;
};

struct SegmentHeader {
  std::uint32_t partitions = 0;     // number of virtual partitions, the same in all segments
  std::int64_t first_sequence = 0;  // of the segment's first frame
};

inline constexpr std::size_t kSegmentHeaderBytes = 24;
inline constexpr std::size_t kFrameOverhead = 36;
inline constexpr std::size_t kMaxFrameBytes = std::size_t{1} << 30;

std::string encode_header(const SegmentHeader& header);
std::optional<SegmentHeader> decode_header(std::string_view bytes);

// Precondition: topic and payload together are below kMaxFrameBytes - kFrameOverhead.
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

// Where the next whole, good frame with a sequence of at least `least` starts, from `from` on.
std::optional<std::size_t> find_frame(std::string_view bytes, std::size_t from, std::int64_t least);

}  // namespace driftd::ingest
