// RequestRate: how many requests a second a client may make. A token bucket a client address; a client
// that was quiet may make a second's worth at once.
//
// Bounded: at most kMaxClients addresses are told apart (64 bytes each); when there are more, those that
// used none of their share lately are forgotten, and if nobody is, the new ones share one bucket.
// Thread-safety: none; the server's I/O thread owns it. Cost: one hash look-up.
//
// Source: the token bucket of RFC 2697 (one rate, one burst).
#pragma once

#include <sys/socket.h>

#include <cstddef>
#include <cstdint>
#include <unordered_map>

#include "core/time.h"

namespace driftd::exporters {

// What stands for a client: an IPv4 address, or the /64 of an IPv6 one, which a single host may use whole.
std::uint64_t rate_client(const sockaddr_storage& from);

class RequestRate {
 public:
  static constexpr std::size_t kMaxClients = 4096;

  // Requests a second, also the burst; 1 or more.
  explicit RequestRate(unsigned per_second) : per_second_(per_second), shared_{double(per_second), 0} {}

  // False: this request is one too many. `client`: see rate_client(); `now` is monotonic and never
  // goes back.
  bool take(std::uint64_t client, Duration now);
  std::size_t clients() const { return buckets_.size(); }

 private:
  struct Bucket {
    double tokens;
    Duration at;
  };
  double tokens(const Bucket& bucket, Duration now) const;
  Bucket& bucket_of(std::uint64_t client, Duration now);

  double per_second_;
  Bucket shared_;
  Duration swept_ = 0;
  std::unordered_map<std::uint64_t, Bucket> buckets_;
};

}  // namespace driftd::exporters
