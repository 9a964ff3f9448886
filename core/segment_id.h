// segment_id: a segment in eight bytes, for lists of many segments. The same on every machine and version
// (it is stored). Two segments of one stream with one id are taken for each other; 64 bits make that
// a matter of theory.
#pragma once

#include <cstdint>

#include "core/finding.h"
#include "core/hash.h"

namespace driftd {

inline std::uint64_t segment_id(const Segment& segment) { return hash64(segment.value, hash64(segment.by)); }

}  // namespace driftd
