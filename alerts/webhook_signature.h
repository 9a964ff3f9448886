// Signatures of outgoing webhooks: Standard Webhooks 1.0, symmetric scheme "v1" (HMAC-SHA256).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace driftd::alerts {

// The key's bytes from the text of a secret file: "whsec_" and base64 of 24 to 64 bytes, or else
// the text itself (24 to 256 bytes), without white space around it. Messages never repeat the
// secret.
Result<std::string> decode_secret(std::string_view text);

// The value of the `webhook-signature` header: one "v1,<base64>" a key, separated by spaces, over
// "id.timestamp.body". Several keys let a receiver change its secret without losing a message.
std::string webhook_signature(const std::vector<std::string>& keys, std::string_view id, std::int64_t unix_seconds, std::string_view body);

}  // namespace driftd::alerts
