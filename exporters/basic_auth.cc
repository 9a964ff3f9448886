#include "exporters/basic_auth.h"

#include <crypt.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>

#include "core/text.h"

namespace driftd::exporters {
namespace {

constexpr std::size_t kHashLength = 60;  // "$2y$10$", 22 characters of salt, 31 of hash
constexpr int kMinCost = 4, kMaxCost = 16;
constexpr std::size_t kMaxCredentials = 1024;  // bytes of the header's base64
constexpr std::size_t kKeyBytes = 32;
// Of no password that anyone knows; its cost is replaced by the users'.
constexpr std::string_view kDummyRest = "$8fmQf.KImGhQQSo7mSkHQeFXoS0LsVzXqlvdZ.ELsYFShgxzMsyMa";

struct Credentials {
  std::string user, password;
};

std::optional<Credentials> parse(std::string_view authorization) {
  const std::size_t blank = authorization.find(' ');
  if (blank != 5) return std::nullopt;
  for (std::size_t i = 0; i < 5; ++i) {
    if ((authorization[i] | 0x20) != "basic"[i]) return std::nullopt;
  }
  std::string_view coded = authorization.substr(blank);
  while (coded.starts_with(' ')) coded.remove_prefix(1);
  if (coded.empty() || coded.size() > kMaxCredentials || coded.size() % 4 != 0) return std::nullopt;
  std::string text(coded.size() / 4 * 3, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(text.data()), reinterpret_cast<const unsigned char*>(coded.data()),
                                static_cast<int>(coded.size()));
  if (n < 0) return std::nullopt;
  const std::size_t padding = coded.ends_with("==") ? 2 : coded.ends_with('=') ? 1 : 0;
  text.resize(static_cast<std::size_t>(n) - padding);
  const std::size_t colon = text.find(':');
  if (colon == std::string::npos || text.find('\0') != std::string::npos) return std::nullopt;
  return Credentials{text.substr(0, colon), text.substr(colon + 1)};
}

bool matches(const std::string& password, const std::string& hash) {
  const auto work = std::make_unique<crypt_data>();  // 32 KB, too much for some stacks
  const char* made = crypt_r(password.c_str(), hash.c_str(), work.get());
  const bool same = made != nullptr && std::string_view(made).size() == hash.size() && CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
  OPENSSL_cleanse(work.get(), sizeof *work);
  return same;
}

}  // namespace

std::string bcrypt_problem(std::string_view hash) {
  const bool kind = hash.starts_with("$2a$") || hash.starts_with("$2b$") || hash.starts_with("$2y$");
  if (!kind || hash.size() != kHashLength || hash[6] != '$') return "is no bcrypt hash";
  const auto good = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '/'; };
  if (!std::all_of(hash.begin() + 7, hash.end(), good)) return "is no bcrypt hash";
  const auto cost = parse_integer(hash.substr(4, 2));
  if (!cost || *cost < kMinCost || *cost > kMaxCost) return "has a cost that is not 4 to 16";
  return "";
}

BasicAuth::BasicAuth(std::map<std::string, std::string> users) : users_(std::move(users)), key_(kKeyBytes, '\0') {
  RAND_bytes(reinterpret_cast<unsigned char*>(key_.data()), static_cast<int>(key_.size()));
  const std::string like = users_.empty() ? "$2y$10" : users_.begin()->second.substr(0, 6);
  dummy_ = like + std::string(kDummyRest);
}

// The hash is part of it, so that a changed password is asked for anew.
std::string BasicAuth::cache_key(const std::string& user, const std::string& password) const {
  const auto it = users_.find(user);
  const std::string text = user + '\0' + (it == users_.end() ? std::string() : it->second) + '\0' + password;
  std::array<unsigned char, EVP_MAX_MD_SIZE> out{};
  unsigned size = 0;
  HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), reinterpret_cast<const unsigned char*>(text.data()), text.size(),
       out.data(), &size);
  return {reinterpret_cast<const char*>(out.data()), size};
}

bool BasicAuth::known(std::string_view authorization) const {
  const auto given = parse(authorization);
  if (!given) return false;
  const std::string key = cache_key(given->user, given->password);
  const std::scoped_lock lock(mutex_);
  return passed_.count(key) != 0;
}

bool BasicAuth::check(std::string_view authorization) {
  const auto given = parse(authorization);
  if (!given) return false;
  if (known(authorization)) return true;  // another request asked meanwhile
  const auto it = users_.find(given->user);
  const bool exists = it != users_.end();
  const bool same = matches(given->password, exists ? it->second : dummy_);
  if (!exists || !same) return false;
  const std::string key = cache_key(given->user, given->password);
  const std::scoped_lock lock(mutex_);
  if (passed_.size() >= kMaxCached) passed_.clear();
  passed_.insert(key);
  return true;
}

}  // namespace driftd::exporters
