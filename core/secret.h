// Secrets come from files only, never from the configuration itself. A path may be
// `credential:NAME`: a credential of systemd (LoadCredential=), in $CREDENTIALS_DIRECTORY.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"

namespace driftd {

bool is_credential(std::string_view path);

// The file behind a path of a secret. Error{kInvalidArgument} when a credential's name has a slash
// or is empty; Error{kNotFound} when systemd gave no credentials.
Result<std::string> secret_file(const std::string& path);

// The first line of the file, without its line end. Error{kNotFound} when the file cannot be read
// or its first line is empty; the message names the file, never what is in it. Read it each time it
// is needed, so that a rotated secret takes effect.
Result<std::string> read_secret(const std::string& path);

// An Error when nothing can be read from a file of certificates or keys; what it holds is not judged.
Status try_file(const std::string& path);

}  // namespace driftd
