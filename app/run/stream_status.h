// How a stream is now, for readiness, the API and the page.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/time.h"

namespace driftd::app {

struct StreamStatus {
  std::string name;
  std::string source;
  bool ready = false;  // connected, assigned, state restored
  std::string detail;  // why not ready
  std::uint64_t accepted = 0;
  std::uint64_t rejected = 0;
  std::uint64_t late = 0;
  std::uint64_t duplicate = 0;
  std::optional<std::int64_t> lag;  // records, all partitions
  Time complete_until = kNoTime;
  std::size_t partitions = 0;
  std::uint64_t sensors = 0;
};

}  // namespace driftd::app
