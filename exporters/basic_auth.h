// BasicAuth: the passwords of a web configuration (RFC 7617 with bcrypt hashes).
//
// bcrypt is slow on purpose, so there are two questions: known() answers from a cache of checks that
// went well, in microseconds; check() does the work (60 ms at cost 10) and belongs on a thread of
// its own. The cache holds keyed hashes (HMAC-SHA-256, a random key a process), never passwords, and
// at most kMaxCached of them. An unknown user costs what a known one does; results are compared in
// constant time. bcrypt looks at the first 72 bytes of a password; one with a NUL is wrong.
// Thread-safety: any thread. Source: crypt(5) of libxcrypt.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_set>

#include "core/result.h"

namespace driftd::exporters {

// Why this is no bcrypt hash that driftd takes ($2a$, $2b$, $2y$; cost 4 to 16); empty: it is one.
std::string bcrypt_problem(std::string_view hash);

class BasicAuth {
 public:
  static constexpr std::size_t kMaxCached = 256;

  explicit BasicAuth(std::map<std::string, std::string> users);  // name -> bcrypt hash

  // `authorization`: the value of the header.
  bool known(std::string_view authorization) const;
  bool check(std::string_view authorization);

 private:
  std::string cache_key(const std::string& user, const std::string& password) const;

  const std::map<std::string, std::string> users_;
  std::string dummy_;  // hash that unknown users are compared with
  std::string key_;    // of the cache
  mutable std::mutex mutex_;
  std::unordered_set<std::string> passed_;
};

}  // namespace driftd::exporters
