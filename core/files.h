// Files that must be there after a power failure.
//
// Errors: kIo, with the path and what the system says. Thread-safe. Cost: the disk's.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace driftd {

// A new, renamed or deleted name is durable only when its folder is.
Status sync_folder(const std::string& folder);

// Makes the folder and those above it that are missing, so that they are there after a power failure too.
Status make_folder(const std::string& folder);

// The file has these bytes, or, when this fails or is killed, what it had before: they are written beside it (PATH.new),
// and take its place when the disk has them.
Status replace_file(const std::string& path, std::string_view bytes);

// Behind what the file has; the disk has them when this returns.
Status append_to_file(const std::string& path, std::string_view bytes);

}  // namespace driftd
