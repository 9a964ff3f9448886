#include "exporters/request_rate.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace driftd::exporters {
namespace {

std::uint64_t client(const char* text) {
  sockaddr_storage from{};
  auto& v4 = reinterpret_cast<sockaddr_in&>(from);
  auto& v6 = reinterpret_cast<sockaddr_in6&>(from);
  if (inet_pton(AF_INET, text, &v4.sin_addr) == 1) {
    from.ss_family = AF_INET;
  } else {
    EXPECT_EQ(inet_pton(AF_INET6, text, &v6.sin6_addr), 1) << text;
    from.ss_family = AF_INET6;
  }
  return rate_client(from);
}

TEST(RateClient, IsAnAddressOrAPrefixOf64Bits) {
  EXPECT_NE(client("10.0.0.1"), client("10.0.0.2"));
  EXPECT_EQ(client("10.0.0.1"), client("::ffff:10.0.0.1"));
  EXPECT_EQ(client("2001:db8:0:1::1"), client("2001:db8:0:1:ffff::2"));
  EXPECT_NE(client("2001:db8:0:1::1"), client("2001:db8:0:2::1"));
}

TEST(RequestRate, AllowsABurstThenTheRate) {
  RequestRate rate(10);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(rate.take(1, 0)) << i;
  EXPECT_FALSE(rate.take(1, 0));
  EXPECT_FALSE(rate.take(1, kSecond / 10 - 1));
  EXPECT_TRUE(rate.take(1, kSecond / 10));
  EXPECT_FALSE(rate.take(1, kSecond / 10));
}

TEST(RequestRate, RefusedRequestsCostNothing) {
  RequestRate rate(1);
  EXPECT_TRUE(rate.take(1, 0));
  for (Duration t = 0; t < kSecond; t += kSecond / 100) EXPECT_FALSE(rate.take(1, t));
  EXPECT_TRUE(rate.take(1, kSecond));
}

TEST(RequestRate, QuietTimeIsNotSavedUpBeyondTheBurst) {
  RequestRate rate(2);
  EXPECT_TRUE(rate.take(1, 3600 * kSecond));
  EXPECT_TRUE(rate.take(1, 3600 * kSecond));
  EXPECT_FALSE(rate.take(1, 3600 * kSecond));
}

TEST(RequestRate, TellsClientsApart) {
  RequestRate rate(1);
  EXPECT_TRUE(rate.take(1, 0));
  EXPECT_FALSE(rate.take(1, 0));
  EXPECT_TRUE(rate.take(2, 0));
}

TEST(RequestRate, ForgetsQuietClientsAndBoundsBusyOnes) {
  RequestRate rate(1);
  const Duration start = 10 * kSecond;
  for (std::uint64_t client = 0; client < RequestRate::kMaxClients; ++client) EXPECT_TRUE(rate.take(client, start));
  // All have used their share: newcomers have one bucket for all of them.
  EXPECT_TRUE(rate.take(100000, start));
  EXPECT_FALSE(rate.take(100001, start));
  EXPECT_EQ(rate.clients(), RequestRate::kMaxClients);
  // A second later all are quiet and forgotten.
  EXPECT_TRUE(rate.take(100002, start + kSecond));
  EXPECT_TRUE(rate.take(100003, start + kSecond));
  EXPECT_EQ(rate.clients(), 2U);
}

}  // namespace
}  // namespace driftd::exporters
