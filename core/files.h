// Files that must be there after a power failure.
//
// Errors: kIo, with the path and what the system says. Thread-safe. Cost: the disk's.
#pragma once

#include <string>

#include "core/result.h"

namespace driftd {

// A new, renamed or deleted name is durable only when its folder is.
Status sync_folder(const std::string& folder);

}  // namespace driftd
