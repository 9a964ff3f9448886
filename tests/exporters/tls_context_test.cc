// What of a web configuration ends up in the TLS context; handshakes are in tests/e2e/test_web_config.py.
#include "exporters/tls_context.h"

#include <gtest/gtest.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>

#include "tests/exporters/temp_folder.h"
#include "tests/pem_files.h"

namespace driftd::exporters {
namespace {

class TlsContextTest : public ::testing::Test {
 protected:
  TlsContextTest() {
    const Key key = make_key();
    write_key(folder_.file("key.pem"), key);
    write_key(folder_.file("encrypted.pem"), key, "secret");
    write_certificate(folder_.file("cert.pem"), key);
    write_key(folder_.file("other.pem"), make_key());
    tls_.cert_file = folder_.file("cert.pem");
    tls_.key_file = folder_.file("key.pem");
    tls_.min_version = "TLS12";
    tls_.max_version = "TLS13";
  }

  // Made, and its inside; null after a failure.
  SSL_CTX* made() {
    auto context = make_tls_context(tls_);
    if (!context) ADD_FAILURE() << context.error().message;
    context_ = context ? *context : nullptr;
    return context_ == nullptr ? nullptr : context_->native_handle();
  }
  std::string refused() {
    const auto context = make_tls_context(tls_);
    EXPECT_FALSE(context.ok());
    if (context.ok()) return "";
    EXPECT_EQ(context.error().code, ErrorCode::kInvalidArgument);
    return context.error().message;
  }

  TempFolder folder_;
  WebConfig::Tls tls_;
  std::shared_ptr<boost::asio::ssl::context> context_;
};

TEST_F(TlsContextTest, VersionsAreThoseAskedFor) {
  SSL_CTX* ctx = made();
  ASSERT_NE(ctx, nullptr);
  EXPECT_EQ(SSL_CTX_get_min_proto_version(ctx), TLS1_2_VERSION);
  EXPECT_EQ(SSL_CTX_get_max_proto_version(ctx), TLS1_3_VERSION);
  tls_.min_version = "TLS13";
  EXPECT_EQ(SSL_CTX_get_min_proto_version(made()), TLS1_3_VERSION);
  tls_.min_version = tls_.max_version = "TLS12";
  EXPECT_EQ(SSL_CTX_get_max_proto_version(made()), TLS1_2_VERSION);
}

TEST_F(TlsContextTest, NoRenegotiationNoCompression) {
  const auto options = SSL_CTX_get_options(made());
  EXPECT_NE(options & SSL_OP_NO_RENEGOTIATION, 0U);
  EXPECT_NE(options & SSL_OP_NO_COMPRESSION, 0U);
  EXPECT_NE(options & SSL_OP_CIPHER_SERVER_PREFERENCE, 0U);
  tls_.prefer_server_ciphers = false;
  EXPECT_EQ(SSL_CTX_get_options(made()) & SSL_OP_CIPHER_SERVER_PREFERENCE, 0U);
}

TEST_F(TlsContextTest, ClientsMustShowWhatTheModeSays) {
  const int asked = SSL_VERIFY_PEER, needed = SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  struct Case {
    ClientAuth mode;
    int verify;
    bool any;  // takes every certificate
  };
  for (const Case& c : {Case{ClientAuth::kNone, SSL_VERIFY_NONE, false}, Case{ClientAuth::kRequest, asked, true},
                        Case{ClientAuth::kRequireAny, needed, true}, Case{ClientAuth::kVerifyIfGiven, asked, false},
                        Case{ClientAuth::kRequireAndVerify, needed, false}}) {
    tls_.client_auth = c.mode;
    tls_.client_ca_file = c.mode == ClientAuth::kNone ? "" : tls_.cert_file;
    SSL_CTX* ctx = made();
    ASSERT_NE(ctx, nullptr);
    EXPECT_EQ(SSL_CTX_get_verify_mode(ctx), c.verify) << static_cast<int>(c.mode);
    EXPECT_EQ(SSL_CTX_get_verify_callback(ctx) != nullptr, c.any) << static_cast<int>(c.mode);
    EXPECT_EQ(sk_X509_NAME_num(SSL_CTX_get_client_CA_list(ctx)), c.mode == ClientAuth::kNone ? 0 : 1);
  }
}

TEST_F(TlsContextTest, CipherSuitesAreTheOnlyOnes) {
  tls_.max_version = "TLS12";
  tls_.cipher_suites = {"TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256", "TLS_AES_128_GCM_SHA256"};
  SSL_CTX* ctx = made();
  ASSERT_NE(ctx, nullptr);
  std::string names;
  STACK_OF(SSL_CIPHER)* ciphers = SSL_CTX_get_ciphers(ctx);
  for (int i = 0; i < sk_SSL_CIPHER_num(ciphers); ++i) {
    const std::string name = SSL_CIPHER_get_name(sk_SSL_CIPHER_value(ciphers, i));
    if (!name.starts_with("TLS_")) names += name + " ";
  }
  EXPECT_EQ(names, "ECDHE-ECDSA-AES128-GCM-SHA256 ");
}

TEST_F(TlsContextTest, WhatCannotBeUsedIsNamed) {
  const WebConfig::Tls good = tls_;
  struct Case {
    const char* key;
    std::string WebConfig::Tls::*member;
    std::string value;
  };
  for (const Case& c : {Case{"cert_file", &WebConfig::Tls::cert_file, folder_.file("none.pem")},
                        Case{"cert_file", &WebConfig::Tls::cert_file, folder_.write("junk.pem", "junk")},
                        Case{"key_file", &WebConfig::Tls::key_file, folder_.file("none.pem")},
                        Case{"key_file", &WebConfig::Tls::key_file, folder_.file("other.pem")},
                        Case{"client_ca_file", &WebConfig::Tls::client_ca_file, folder_.file("none.pem")},
                        Case{"client_ca_file", &WebConfig::Tls::client_ca_file, folder_.file("junk.pem")}}) {
    tls_ = good;
    tls_.*c.member = c.value;
    const std::string message = refused();
    EXPECT_NE(message.find(c.key), std::string::npos) << message;
    EXPECT_NE(message.find(c.value), std::string::npos) << message;
  }
  tls_ = good;
  tls_.cipher_suites = {"TLS_NO_SUCH_SUITE"};
  EXPECT_NE(refused().find("'TLS_NO_SUCH_SUITE' is not known"), std::string::npos);
  tls_ = good;
  tls_.curves = {"no-such-curve"};
  EXPECT_NE(refused().find("curve_preferences"), std::string::npos);
  tls_ = good;
  EXPECT_NE(made(), nullptr) << "an earlier error does not stick";
}

// OpenSSL by itself asks the terminal and waits.
TEST_F(TlsContextTest, AnEncryptedKeyIsRefusedWithoutAQuestion) {
  tls_.key_file = folder_.file("encrypted.pem");
  EXPECT_NE(refused().find("key_file: the key in '" + tls_.key_file + "' is encrypted"), std::string::npos) << refused();
}

}  // namespace
}  // namespace driftd::exporters
