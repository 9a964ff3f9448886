#include "ingest/reach.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "core/resolve.h"

namespace driftd::ingest {
namespace {

// 0 or an errno.
int try_address(const SocketAddress& address, Deadline deadline) {
  const int fd = ::socket(address.get()->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return errno;
  int error = ::connect(fd, address.get(), address.size) == 0 ? 0 : errno;
  if (error == EINPROGRESS) {
    pollfd wait{fd, POLLOUT, 0};
    socklen_t size = sizeof error;
    if (::poll(&wait, 1, static_cast<int>(deadline.left() / kMillisecond)) <= 0) {
      error = ETIMEDOUT;
    } else if (::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0) {
      error = errno;
    }
  }
  ::close(fd);
  return error;
}

}  // namespace

Status reach(const std::string& host, int port, Duration patience) {
  const Deadline deadline = Deadline::after(patience);
  const std::string where = host + ":" + std::to_string(port);
  const auto addresses = resolve(host, port, patience);
  if (!addresses) return Error{ErrorCode::kUnavailable, where + ": " + addresses.error().message};
  int error = EADDRNOTAVAIL;
  for (const SocketAddress& address : *addresses) {
    error = try_address(address, deadline);
    if (error == 0) return {};
  }
  return Error{ErrorCode::kUnavailable, where + ": " + std::strerror(error)};
}

}  // namespace driftd::ingest
