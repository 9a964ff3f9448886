// RecordMark: what tells a record from another one that has the same place in a log of the same name, as when a topic was deleted
// and made anew. A partition's checkpoint ends with that of the newest record it has read. Thread-safety: none. Cost: a hash of
// the record's key and payload.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/bytes.h"
#include "core/raw_batch.h"

namespace driftd {

struct RecordMark {
  std::int64_t position = -1;
  Time arrival = kNoTime;
  std::uint64_t hash = 0;   // of key and payload
  std::uint64_t topic = 0;  // hash_of_topic
  bool operator==(const RecordMark&) const = default;
};
RecordMark mark_of(const RawRecord& record);
std::uint64_t hash_of_topic(std::string_view name);

// Behind a state, whatever it is, so that the mark is found by whoever cannot read that. nullopt: there is none.
void append_mark(ByteWriter& state, const RecordMark& mark);
std::optional<RecordMark> mark_at_end(std::string_view state);

}  // namespace driftd
