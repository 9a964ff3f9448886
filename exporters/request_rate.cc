#include "exporters/request_rate.h"

#include <netinet/in.h>

#include <algorithm>
#include <cstring>

namespace driftd::exporters {

std::uint64_t rate_client(const sockaddr_storage& from) {
  std::uint64_t client = 0;
  if (from.ss_family == AF_INET) {
    client = reinterpret_cast<const sockaddr_in&>(from).sin_addr.s_addr;
  } else if (from.ss_family == AF_INET6) {
    const in6_addr& address = reinterpret_cast<const sockaddr_in6&>(from).sin6_addr;
    const bool mapped = IN6_IS_ADDR_V4MAPPED(&address);
    std::memcpy(&client, address.s6_addr + (mapped ? 12 : 0), mapped ? 4 : 8);
  }
  return client;
}

double RequestRate::tokens(const Bucket& bucket, Duration now) const {
  return std::min(per_second_, bucket.tokens + to_seconds(now - bucket.at) * per_second_);
}

RequestRate::Bucket& RequestRate::bucket_of(std::uint64_t client, Duration now) {
  const auto found = buckets_.find(client);
  if (found != buckets_.end()) return found->second;
  if (buckets_.size() >= kMaxClients && now - swept_ >= kSecond) {  // a sweep costs: once a second
    swept_ = now;
    std::erase_if(buckets_, [&](const auto& entry) { return tokens(entry.second, now) >= per_second_; });
  }
  if (buckets_.size() >= kMaxClients) return shared_;
  return buckets_.emplace(client, Bucket{per_second_, now}).first->second;
}

bool RequestRate::take(std::uint64_t client, Duration now) {
  Bucket& bucket = bucket_of(client, now);
  bucket = {tokens(bucket, now), now};
  if (bucket.tokens < 1) return false;
  bucket.tokens -= 1;
  return true;
}

}  // namespace driftd::exporters
