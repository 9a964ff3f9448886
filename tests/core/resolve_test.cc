#include "core/resolve.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace driftd {
namespace {

std::string text_of(const SocketAddress& address) {
  char out[INET6_ADDRSTRLEN] = "";
  if (address.get()->sa_family == AF_INET) {
    const auto* v4 = reinterpret_cast<const sockaddr_in*>(address.get());
    return std::string(inet_ntop(AF_INET, &v4->sin_addr, out, sizeof out)) + ":" + std::to_string(ntohs(v4->sin_port));
  }
  const auto* v6 = reinterpret_cast<const sockaddr_in6*>(address.get());
  return "[" + std::string(inet_ntop(AF_INET6, &v6->sin6_addr, out, sizeof out)) + "]:" + std::to_string(ntohs(v6->sin6_port));
}

TEST(Resolve, NumbersAndNames) {
  for (const auto& [host, wanted] :
       {std::pair("127.0.0.1", "127.0.0.1:1883"), std::pair("::1", "[::1]:1883"), std::pair("[::1]", "[::1]:1883")}) {
    const auto found = resolve(host, 1883, kSecond);
    ASSERT_TRUE(found.ok()) << host << ": " << found.error().message;
    ASSERT_EQ(found->size(), 1U) << host;
    EXPECT_EQ(text_of(found->front()), wanted);
  }
  const auto found = resolve("localhost", 1883, 5 * kSecond);
  ASSERT_TRUE(found.ok()) << found.error().message;
  for (const SocketAddress& address : *found) EXPECT_TRUE(text_of(address).ends_with(":1883")) << text_of(address);
}

TEST(Resolve, SaysWhyNot) {
  for (const char* host : {"no host has this name", ""}) {
    const auto unknown = resolve(host, 1883, 5 * kSecond);
    ASSERT_FALSE(unknown.ok()) << host;
    EXPECT_EQ(unknown.error().code, ErrorCode::kUnavailable);
    EXPECT_NE(unknown.error().message, "");
  }
}

}  // namespace
}  // namespace driftd
