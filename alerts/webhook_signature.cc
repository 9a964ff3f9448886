#include "alerts/webhook_signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

namespace driftd::alerts {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kLeastKey = 24;
constexpr std::size_t kMostEncodedKey = 64;
constexpr std::size_t kMostRawKey = 256;

std::string_view trimmed(std::string_view s) {
  const std::size_t first = s.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return s.substr(first, s.find_last_not_of(" \t\r\n") - first + 1);
}

std::string base64(const unsigned char* data, std::size_t size) {
  std::string out((size + 2) / 3 * 4 + 1, '\0');  // and EVP's terminator
  const int n = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), data, static_cast<int>(size));
  out.resize(static_cast<std::size_t>(n));
  return out;
}

// Empty when it is not base64 with its padding.
std::string unbase64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return {};
  std::string out(text.size() / 4 * 3, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()), reinterpret_cast<const unsigned char*>(text.data()),
                                static_cast<int>(text.size()));
  if (n < 0) return {};
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(n) - padding);
  return out;
}

}  // namespace

Result<std::string> decode_secret(std::string_view text) {
  text = trimmed(text);
  const bool encoded = text.starts_with(kPrefix);
  const std::size_t most = encoded ? kMostEncodedKey : kMostRawKey;
  std::string key = encoded ? unbase64(text.substr(kPrefix.size())) : std::string(text);
  if (key.size() >= kLeastKey && key.size() <= most) return key;
  return Error{ErrorCode::kInvalidArgument,
               encoded ? "the secret is not whsec_ and base64 of 24 to 64 bytes" : "the secret is not 24 to 256 bytes long"};
}

std::string webhook_signature(const std::vector<std::string>& keys, std::string_view id, std::int64_t unix_seconds, std::string_view body) {
  std::string content(id);
  content += '.' + std::to_string(unix_seconds) + '.';
  content += body;
  std::string out;
  for (const std::string& key : keys) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    unsigned size = 0;
    HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), reinterpret_cast<const unsigned char*>(content.data()), content.size(),
         digest.data(), &size);
    if (!out.empty()) out += ' ';
    out += "v1," + base64(digest.data(), size);
  }
  return out;
}

}  // namespace driftd::alerts
