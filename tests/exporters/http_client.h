// A blocking HTTP client for tests that sees raw bytes: it can send what no proper client would.
#pragma once

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>

namespace driftd::exporters {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(port);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(socket_, reinterpret_cast<const sockaddr*>(&to), sizeof to) == 0;
  }
  ~RawClient() { ::close(socket_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool connected() const { return connected_; }

  void send(const std::string& bytes) {
    std::size_t at = 0;
    while (at < bytes.size()) {
      const ssize_t n = ::send(socket_, bytes.data() + at, bytes.size() - at, MSG_NOSIGNAL);
      if (n <= 0) return;
      at += static_cast<std::size_t>(n);
    }
  }

  // Reads one answer by its Content-Length (or until the server closes), headers included.
  std::string answer(bool without_body = false) {
    while (buffer_.find("\r\n\r\n") == std::string::npos && more()) {
    }
    const std::size_t header_end = buffer_.find("\r\n\r\n");
    if (header_end == std::string::npos) return take(buffer_.size());
    const std::size_t at = buffer_.find("Content-Length: ");
    std::size_t length = 0;
    if (!without_body && at < header_end) length = std::stoul(buffer_.substr(at + 16));
    while (buffer_.size() < header_end + 4 + length && more()) {
    }
    return take(std::min(buffer_.size(), header_end + 4 + length));
  }

  bool readable(int milliseconds) {
    pollfd p{socket_, POLLIN, 0};
    return ::poll(&p, 1, milliseconds) == 1;
  }

  // True when the server closes within the time and sends nothing more.
  bool closed(int milliseconds = 20000) {
    pollfd p{socket_, POLLIN, 0};
    char c = 0;
    return ::poll(&p, 1, milliseconds) == 1 && ::recv(socket_, &c, 1, 0) <= 0;
  }

 private:
  bool more() {
    pollfd p{socket_, POLLIN, 0};
    if (::poll(&p, 1, 60000) != 1) return false;
    char chunk[4096];
    const ssize_t n = ::recv(socket_, chunk, sizeof chunk, 0);
    if (n <= 0) return false;
    buffer_.append(chunk, static_cast<std::size_t>(n));
    return true;
  }
  std::string take(std::size_t n) {
    std::string out = buffer_.substr(0, n);
    buffer_.erase(0, n);
    return out;
  }

  int socket_;
  bool connected_ = false;
  std::string buffer_;
};

// One request on its own connection.
inline std::string http_exchange(std::uint16_t port, const std::string& bytes) {
  RawClient client(port);
  client.send(bytes);
  return client.answer();
}

inline std::string http_get(std::uint16_t port, const std::string& path) {
  return http_exchange(port, "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

}  // namespace driftd::exporters
