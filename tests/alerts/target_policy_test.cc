#include "alerts/target_policy.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "alerts/http_client.h"
#include "notifier_harness.h"

namespace driftd::alerts {
namespace {

using ::testing::HasSubstr;

// Whether a socket to the address may be opened.
bool allows(const TargetPolicy& policy, const std::string& address, bool named = true, std::uint16_t port = 443) {
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(port);
    return policy.allows(reinterpret_cast<const sockaddr*>(&v4), named);
  }
  EXPECT_EQ(inet_pton(AF_INET6, address.c_str(), &v6.sin6_addr), 1) << address;
  v6.sin6_family = AF_INET6;
  v6.sin6_port = htons(port);
  return policy.allows(reinterpret_cast<const sockaddr*>(&v6), named);
}

TEST(TargetPolicy, WithoutAListOnlyWhatIsNeverAReceiverIsRefused) {
  const TargetPolicy policy;
  EXPECT_TRUE(policy.names("anything.example", 80));
  for (const char* good : {"127.0.0.1", "10.0.0.1", "192.168.1.1", "8.8.8.8", "169.253.255.255", "169.255.0.0", "223.255.255.255", "::1",
                           "fd00::1", "2001:db8::1"}) {
    EXPECT_TRUE(allows(policy, good)) << good;
  }
  for (const char* bad : {"169.254.169.254", "169.254.0.0", "169.254.255.255", "0.0.0.0", "224.0.0.1", "255.255.255.255", "100.100.100.200",
                          "::", "fe80::1", "febf::1", "ff02::1", "fd00:ec2::254", "168.63.129.16", "fd20:ce::254", "fd00:42::42",
                          "fd00:c1::a9fe:a9fe", "::ffff:169.254.169.254", "64:ff9b::169.254.169.254", "::ffff:0.0.0.0"}) {
    EXPECT_FALSE(allows(policy, bad)) << bad;
  }
}

TEST(TargetPolicy, AListNamesHostsAndNetworks) {
  const auto made = TargetPolicy::make({"Hooks.example", "am.example:9093", "10.1.0.0/16", "[fd00::1]:9093", "192.0.2.7:80"});
  ASSERT_TRUE(made.ok());
  const TargetPolicy& policy = *made;
  EXPECT_TRUE(policy.names("hooks.example", 443));
  EXPECT_TRUE(policy.names("HOOKS.example.", 80));
  EXPECT_TRUE(policy.names("am.example", 9093));
  EXPECT_FALSE(policy.names("am.example", 9094));
  EXPECT_FALSE(policy.names("other.example", 443));
  EXPECT_FALSE(policy.names("x.hooks.example", 443));
  EXPECT_TRUE(policy.names("10.1.2.3", 1));
  EXPECT_TRUE(policy.names("[fd00::1]", 9093));
  EXPECT_FALSE(policy.names("[fd00::1]", 80));
  EXPECT_TRUE(policy.possible("unknown.example", 443));  // may resolve into 10.1.0.0/16
  EXPECT_FALSE(policy.possible("10.2.0.1", 443));

  EXPECT_TRUE(allows(policy, "203.0.113.1", /*named=*/true));
  EXPECT_FALSE(allows(policy, "203.0.113.1", /*named=*/false));
  EXPECT_TRUE(allows(policy, "10.1.255.255", false));
  EXPECT_FALSE(allows(policy, "10.2.0.0", false));
  EXPECT_TRUE(allows(policy, "::ffff:10.1.0.1", false));
  EXPECT_TRUE(allows(policy, "192.0.2.7", false, 80));
  EXPECT_FALSE(allows(policy, "192.0.2.7", false, 81));
  EXPECT_FALSE(allows(policy, "169.254.169.254", /*named=*/true));  // a name that was rebound
}

TEST(TargetPolicy, TheListCanAllowWhatIsRefusedOtherwise) {
  const auto made = TargetPolicy::make({"169.254.10.0/24"});
  ASSERT_TRUE(made.ok());
  EXPECT_TRUE(allows(*made, "169.254.10.255", false));
  EXPECT_FALSE(allows(*made, "169.254.11.0", true));
}

TEST(TargetPolicy, RefusesWhatIsNoEntry) {
  for (const char* bad :
       {"", "http://h", "h:0", "h:65536", "h:x", "10.0.0.0/33", "::/129", "10.0.0/8", "a b", "h/8", "[::1", "10.0.0.0/-1", "10.0.0.0/"}) {
    const auto made = TargetPolicy::make({"good", bad});
    ASSERT_FALSE(made.ok()) << bad;
    EXPECT_THAT(made.error().message, HasSubstr("'" + std::string(bad) + "'"));
  }
  EXPECT_FALSE(TargetPolicy::make({})->names("h", 1));  // an empty list allows nothing
}

TEST(TargetPolicy, NothingIsSentToARefusedAddress) {
  HttpServer server;
  server.answer(200);
  const auto post = [&](const std::vector<std::string>& allowed) {
    const auto policy = std::make_shared<const TargetPolicy>(*TargetPolicy::make(allowed));
    return http_post({.url = server.url(), .headers = {}, .body = "", .ca_file = "", .targets = policy}, Deadline::after(30 * kSecond));
  };
  const auto refused = post({"elsewhere.example"});
  ASSERT_FALSE(refused.ok());
  EXPECT_THAT(refused.error().message, HasSubstr("the address 127.0.0.1 of 127.0.0.1 is not allowed"));
  EXPECT_TRUE(server.requests().empty());
  EXPECT_TRUE(post({"127.0.0.0/8"}).ok());
  EXPECT_EQ(server.requests().size(), 1U);

  const auto metadata = http_post({.url = "http://169.254.169.254/latest/meta-data", .headers = {}, .body = "", .ca_file = ""},
                                  Deadline::after(30 * kSecond));
  ASSERT_FALSE(metadata.ok());
  EXPECT_THAT(metadata.error().message, HasSubstr("169.254.169.254 of 169.254.169.254 is not allowed"));
  // Spelled otherwise, it is the same address.
  for (const char* url : {"http://2852039166/", "http://0xa9fea9fe/", "http://0251.0376.0251.0376/", "http://[::ffff:169.254.169.254]/"}) {
    const auto spelled = http_post({.url = url, .headers = {}, .body = "", .ca_file = ""}, Deadline::after(30 * kSecond));
    ASSERT_FALSE(spelled.ok()) << url;
    EXPECT_THAT(spelled.error().message, HasSubstr("is not allowed")) << url;
  }
}

TEST(TargetPolicy, TheConfigurationSaysWhatCannotBe) {
  const auto read = [](const std::string& allowed, const std::string& url) {
    ErrorList errors;
    const Node hook = Node::map({{"type", Node::text("webhook")}, {"url", Node::text(url)}});
    const AlertsConfig config = read_alerts(
        Node::map({{"allowed_targets", Node::list({Node::text(allowed)})}, {"notifiers", Node::map({{"hook", hook}})}}), errors);
    EXPECT_EQ(config.targets != nullptr, errors.empty() || allowed != "a b");
    return errors.empty() ? "" : errors.errors()[0].message;
  };
  EXPECT_EQ(read("h.example", "https://h.example/x"), "");
  EXPECT_THAT(read("h.example:8443", "https://h.example/x"),
              HasSubstr("the host h.example with port 443 is not in alerts.allowed_targets"));
  EXPECT_THAT(read("a b", "https://h.example/x"), HasSubstr("allowed_targets: 'a b' is no host"));
}

}  // namespace
}  // namespace driftd::alerts
