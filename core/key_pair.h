// Certificates and private keys in PEM, looked at before a library is given them: what libraries say of them names no file.
// Thread-safe. Cost: the files are read.
#pragma once

#include <string>

#include "core/result.h"

namespace driftd {

// An Error when the file cannot be read or holds no certificate.
Status try_certificate(const std::string& path);

// An Error when the file at `path` cannot be read, holds no private key or an encrypted one, or one that does not belong to the
// first certificate in `cert_path`; empty: that is not asked.
Status try_key(const std::string& path, const std::string& cert_path);

// A callback for OpenSSL that knows no passphrase. Without one OpenSSL asks the terminal, and the thread waits for an answer.
int no_passphrase(char* buffer, int size, int writing, void* data);

}  // namespace driftd
