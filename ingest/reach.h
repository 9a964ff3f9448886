// reach: whether something listens at host:port, found out within a bounded time.
#pragma once

#include <string>

#include "core/clock.h"
#include "core/result.h"

namespace driftd::ingest {

// Connects and hangs up. Libraries that connect in a blocking way wait minutes for a host that does
// not answer; asking first bounds that. Blocks for `patience`.
// Error{kUnavailable} with the reason.
Status reach(const std::string& host, int port, Duration patience);

}  // namespace driftd::ingest
