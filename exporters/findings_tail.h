// The newest findings of a findings log, read back: what GET /api/v1/findings shows after a restart.
//
// At most `most` findings out of the last kTailBytes of the file and, where these are fewer, of the one
// before it (`path`.1). A line that is no finding is passed over; files that cannot be read count as
// empty. A finding about a record comes without its window, as the lines have none. Cost: once, at the start.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/finding.h"

namespace driftd::exporters {

inline constexpr std::size_t kTailBytes = 8U << 20;

// Oldest first.
std::vector<Finding> newest_findings(const std::string& path, std::size_t most);

// The inverse of append_json(); nullopt when it is none.
std::optional<Finding> parse_finding(std::string_view line);

}  // namespace driftd::exporters
