// The headers that a gate adds to a record:
//
//   driftd-verdict    valid | invalid | reject
//   driftd-stream     name of the stream
//   driftd-position   topic/partition/offset that it was read from
//   driftd-reference  name@version that it was judged with; absent when the stream has none
//   driftd-check, driftd-field, driftd-reason, driftd-detail   the first check that failed
//   driftd-refused    the broker's word for why only a stub without payload is here
//   driftd-checks     all checks that failed, with commas, when there are several
//
// Headers of these names that the record has already (from another gate) are kept before them, so
// the last one of a name is ours.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/gate.h"

namespace driftd::ingest {

// Reused: values are views of what was given, and of `position`.
struct GateHeaders {
  std::vector<std::pair<const char*, std::string_view>> all;
  std::string position;
};

// `mark` is nullptr for a valid record. `refused`: why its server did not take the record as it is,
// and only a stub is sent; empty: it is sent whole.
void gate_headers(std::string_view stream, std::string_view topic, std::int32_t partition, std::int64_t offset, std::string_view reference,
                  const GateMark* mark, std::string_view refused, GateHeaders& out);

}  // namespace driftd::ingest
