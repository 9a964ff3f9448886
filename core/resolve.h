// resolve: the addresses of a host, asked for within a bounded time.
//
// getaddrinfo() waits for name servers that do not answer for half a minute and more, and cannot be ended. libcurl asks in a
// thread of its own, which is left to itself when it takes too long. Thread-safe. Cost: that thread; none for a number.
#pragma once

#include <sys/socket.h>

#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace driftd {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage); }
};

// Of `host`, a name or a number, for TCP; in the order to try them, at least one. Error{kUnavailable} with the reason: there is no such
// name, or no answer within `patience`.
Result<std::vector<SocketAddress>> resolve(const std::string& host, int port, Duration patience);

}  // namespace driftd
