// Secrets come from files only, never from the configuration itself.
#pragma once

#include <string>

#include "core/result.h"

namespace driftd {

// The first line of the file, without its line end. Error{kNotFound} when the file cannot be read
// or its first line is empty; the message names the file, never what is in it. Read it each time it
// is needed, so that a rotated secret takes effect.
Result<std::string> read_secret(const std::string& path);

}  // namespace driftd
