#include "ingest/reach.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"

namespace driftd::ingest {
namespace {

// A socket on a free port of the loopback; listening or only bound, so that nobody else takes the port.
class Port {
 public:
  explicit Port(bool listening) : fd_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&address), size), 0);
    if (listening) {
      EXPECT_EQ(::listen(fd_, 4), 0);
    }
    EXPECT_EQ(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    number_ = ntohs(address.sin_port);
  }
  ~Port() { ::close(fd_); }
  int number() const { return number_; }

 private:
  int fd_;
  int number_ = 0;
};

TEST(Reach, SomethingListens) {
  const Port port(true);
  EXPECT_TRUE(reach("127.0.0.1", port.number(), kSecond).ok());
}

TEST(Reach, SaysWhereAndWhyNot) {
  const Port port(false);
  const Status refused = reach("127.0.0.1", port.number(), kSecond);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  EXPECT_EQ(refused.error().message, "127.0.0.1:" + std::to_string(port.number()) + ": Connection refused");
}

TEST(Reach, ANameThatDoesNotExist) {
  const Status unknown = reach("no host has this name", 1883, kSecond);
  ASSERT_FALSE(unknown.ok());
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnavailable);
  EXPECT_TRUE(unknown.error().message.starts_with("no host has this name:1883: ")) << unknown.error().message;
}

// A listener whose backlog is full lets connections wait, as a host does that drops packets.
TEST(Reach, WaitsNoLongerThanItsPatience) {
  const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  ASSERT_EQ(::bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  ASSERT_EQ(::listen(fd, 0), 0);
  ASSERT_EQ(::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  const int full = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  ::connect(full, reinterpret_cast<sockaddr*>(&address), size);
  const Duration start = monotonic_now();
  const Status late = reach("127.0.0.1", ntohs(address.sin_port), kSecond);
  EXPECT_LT(monotonic_now() - start, 10 * kSecond);
  EXPECT_GE(monotonic_now() - start, 900 * kMillisecond);
  ASSERT_FALSE(late.ok());
  EXPECT_NE(late.error().message.find("timed out"), std::string::npos) << late.error().message;
  ::close(full);
  ::close(fd);
}

}  // namespace
}  // namespace driftd::ingest
