#include "exporters/web_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace driftd::exporters {
namespace {

using ::testing::HasSubstr;

constexpr const char* kHash = "$2b$04$KBCwKxOzLha2MUSSLhbwU.uRdTnPdShhIpmh2zKk2uVxhuHOskI2G";

Node tls(std::vector<std::pair<std::string, Node>> more) {
  more.emplace_back("cert_file", Node::text("c.pem"));
  more.emplace_back("key_file", Node::text("k.pem"));
  return Node::map({{"tls_server_config", Node::map(std::move(more))}});
}

std::string errors_of(const Node& root) {
  ErrorList errors;
  read_web_config(root, "/etc/driftd", errors);
  std::string all;
  for (const ConfigError& e : errors.errors()) all += e.message + " (" + e.suggestion + ")\n";
  return all;
}

TEST(WebConfig, ReadsTheWholeFormat) {
  ErrorList errors;
  Node root = tls({{"client_auth_type", Node::text("RequireAndVerifyClientCert")},
                   {"client_ca_file", Node::text("/ca.pem")},
                   {"min_version", Node::text("TLS13")},
                   {"cipher_suites", Node::list({Node::text("TLS_AES_128_GCM_SHA256")})},
                   {"curve_preferences", Node::list({Node::text("CurveP256")})}});
  root.entries.emplace_back("http_server_config",
                            Node::map({{"http2", Node::text("false")}, {"headers", Node::map({{"X-Frame-Options", Node::text("deny")}})}}));
  root.entries.emplace_back("basic_auth_users", Node::map({{"prom", Node::text(kHash)}}));
  const WebConfig config = read_web_config(root, "/etc/driftd", errors);
  ASSERT_TRUE(errors.empty()) << errors_of(root);
  ASSERT_TRUE(config.tls.has_value());
  EXPECT_EQ(config.tls->cert_file, "/etc/driftd/c.pem");
  EXPECT_EQ(config.tls->client_ca_file, "/ca.pem");
  EXPECT_EQ(config.tls->client_auth, ClientAuth::kRequireAndVerify);
  EXPECT_EQ(config.tls->min_version, "TLS13");
  EXPECT_EQ(config.tls->curves, std::vector<std::string>{"P-256"});
  EXPECT_EQ(config.headers.size(), 1U);
  EXPECT_EQ(config.users.at("prom"), kHash);
  EXPECT_TRUE(config.protects());
}

TEST(WebConfig, ProtectsOnlyWithTlsAndSomethingToShow) {
  ErrorList errors;
  EXPECT_FALSE(read_web_config(Node(), "", errors).protects());
  EXPECT_FALSE(read_web_config(tls({}), "", errors).protects());
  const auto users = std::pair("basic_auth_users", Node::map({{"prom", Node::text(kHash)}}));
  EXPECT_FALSE(read_web_config(Node::map({users}), "", errors).protects());
  Node both = tls({});
  both.entries.push_back(users);
  EXPECT_TRUE(read_web_config(both, "", errors).protects());
  EXPECT_TRUE(errors.empty());
}

TEST(WebConfig, RefusesWhatItDoesNotUnderstand) {
  EXPECT_THAT(errors_of(Node::map({{"tls_server_confg", Node()}})),
              HasSubstr("unknown key 'tls_server_confg' (did you mean 'tls_server_config'?)"));
  EXPECT_THAT(errors_of(tls({{"cert", Node::text("x")}})), HasSubstr("unknown key 'cert'"));
  EXPECT_THAT(errors_of(Node::map({{"tls_server_config", Node::map({})}})), HasSubstr("'cert_file' is missing"));
  EXPECT_THAT(errors_of(Node::map({{"tls_server_config", Node()}})), HasSubstr("tls_server_config is empty"));
  const Node empty = Node::map({{"cert_file", Node::text("")}, {"key_file", Node::text("")}});
  EXPECT_THAT(errors_of(Node::map({{"tls_server_config", empty}})), HasSubstr("cert_file is empty"));
  EXPECT_THAT(errors_of(Node::map({{"tls_server_config", empty}})), HasSubstr("key_file is empty"));
  EXPECT_THAT(errors_of(tls({{"client_auth_type", Node::text("RequireClientCert")}})), HasSubstr("did you mean"));
  EXPECT_THAT(errors_of(tls({{"client_auth_type", Node::text("VerifyClientCertIfGiven")}})), HasSubstr("without client_ca_file"));
  EXPECT_THAT(errors_of(tls({{"client_ca_file", Node::text("ca")}})), HasSubstr("has no effect"));
  EXPECT_THAT(errors_of(tls({{"min_version", Node::text("TLS13")}, {"max_version", Node::text("TLS12")}})), HasSubstr("newer"));
  EXPECT_NE(errors_of(tls({{"min_version", Node::text("TLS10")}})), "");
  const Node headers = Node::map({{"Content-Security-Policy", Node::text("a\r\nb")}});
  EXPECT_THAT(errors_of(Node::map({{"http_server_config", Node::map({{"headers", headers}})}})), HasSubstr("control characters"));
}

TEST(WebConfig, NeverRepeatsAPasswordOrHash) {
  const std::string all =
      errors_of(Node::map({{"basic_auth_users", Node::map({{"prom", Node::text("plain-password")}, {"a:b", Node::text(kHash)}})}}));
  EXPECT_THAT(all, HasSubstr("user 'prom': the hash is no bcrypt hash (make one with"));
  EXPECT_THAT(all, HasSubstr("user 'a:b': a name"));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("plain-password")));
  EXPECT_THAT(all, ::testing::Not(HasSubstr("KBCw")));
  // USER:HASH as one word, and the two the wrong way round.
  const Node words = Node::map({{std::string("prom:") + kHash, Node()}, {kHash, Node::text("prom")}});
  const std::string slips = errors_of(Node::map({{"basic_auth_users", words}}));
  EXPECT_THAT(slips, HasSubstr("a user whose name has a '$': the hash is no text"));
  EXPECT_THAT(slips, HasSubstr("a user whose name has a '$': the hash is no bcrypt hash"));
  EXPECT_THAT(slips, ::testing::Not(HasSubstr("KBCw")));
}

}  // namespace
}  // namespace driftd::exporters
