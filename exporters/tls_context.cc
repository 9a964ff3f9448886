#include "exporters/tls_context.h"

#include <openssl/err.h>
#include <openssl/ssl.h>

#include <boost/asio/ssl/context.hpp>

#include "core/key_pair.h"
#include "core/secret.h"
#include "core/text.h"

namespace driftd::exporters {
namespace {

Error refused(const std::string& what) {
  const unsigned long code = ERR_peek_last_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  ERR_clear_error();
  return {ErrorCode::kInvalidArgument, "tls_server_config: " + what + (reason == nullptr ? "" : std::string(": ") + reason)};
}

int version_of(const std::string& name) { return name == "TLS13" ? TLS1_3_VERSION : TLS1_2_VERSION; }

int accept_any(int, X509_STORE_CTX*) { return 1; }

Status set_client_auth(SSL_CTX* ctx, const WebConfig::Tls& tls) {
  int mode = SSL_VERIFY_NONE;
  if (tls.client_auth != ClientAuth::kNone) mode = SSL_VERIFY_PEER;
  if (tls.client_auth == ClientAuth::kRequireAny || tls.client_auth == ClientAuth::kRequireAndVerify) {
    mode |= SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
  }
  const bool unverified = tls.client_auth == ClientAuth::kRequest || tls.client_auth == ClientAuth::kRequireAny;
  SSL_CTX_set_verify(ctx, mode, unverified ? accept_any : nullptr);
  // Without it a client that shows a certificate cannot resume its session.
  static constexpr unsigned char kSessions[] = "driftd";
  SSL_CTX_set_session_id_context(ctx, kSessions, sizeof kSessions - 1);
  if (tls.client_ca_file.empty()) return {};
  STACK_OF(X509_NAME)* names = SSL_load_client_CA_file(tls.client_ca_file.c_str());
  if (names == nullptr || SSL_CTX_load_verify_locations(ctx, tls.client_ca_file.c_str(), nullptr) != 1) {
    return refused("client_ca_file " + excerpt(tls.client_ca_file) + " cannot be used");
  }
  SSL_CTX_set_client_CA_list(ctx, names);  // takes it over
  return {};
}

Status set_ciphers(SSL_CTX* ctx, const WebConfig::Tls& tls) {
  std::vector<std::string> names;
  for (const std::string& name : tls.cipher_suites) {
    const std::string ours = OPENSSL_cipher_name(name.c_str());
    if (ours == "(NONE)") {
      return Error{ErrorCode::kInvalidArgument, "tls_server_config: cipher_suites: '" + excerpt(name, 60) +
                                                    "' is not known; names look like TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"};
    }
    if (!name.starts_with("TLS_AES_") && !name.starts_with("TLS_CHACHA20_")) names.push_back(ours);
  }
  if (!names.empty() && SSL_CTX_set_cipher_list(ctx, join(names, ":").c_str()) != 1) {
    return refused("cipher_suites cannot be used");
  }
  if (!tls.curves.empty() && SSL_CTX_set1_groups_list(ctx, join(tls.curves, ":").c_str()) != 1) {
    return refused("curve_preferences cannot be used");
  }
  return {};
}

Status set_up(SSL_CTX* ctx, const WebConfig::Tls& tls) {
  ERR_clear_error();
  SSL_CTX_set_default_passwd_cb(ctx, no_passphrase);
  SSL_CTX_set_min_proto_version(ctx, version_of(tls.min_version));
  SSL_CTX_set_max_proto_version(ctx, version_of(tls.max_version));
  SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  if (tls.prefer_server_ciphers) SSL_CTX_set_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
  if (SSL_CTX_use_certificate_chain_file(ctx, tls.cert_file.c_str()) != 1) {
    return refused("cert_file " + excerpt(tls.cert_file) + " cannot be used");
  }
  const auto key = secret_file(tls.key_file);
  if (!key) return key.error().at("tls_server_config: key_file");
  if (const Status s = try_key(*key, tls.cert_file); !s)
    return Error{ErrorCode::kInvalidArgument, "tls_server_config: key_file: " + s.error().message};
  if (SSL_CTX_use_PrivateKey_file(ctx, key->c_str(), SSL_FILETYPE_PEM) != 1) {
    return refused("key_file " + excerpt(tls.key_file) + " cannot be used with the certificate");
  }
  if (const Status s = set_ciphers(ctx, tls); !s) return s;
  return set_client_auth(ctx, tls);
}

}  // namespace

Result<std::shared_ptr<boost::asio::ssl::context>> make_tls_context(const WebConfig::Tls& tls) {
  try {
    auto context = std::make_shared<boost::asio::ssl::context>(boost::asio::ssl::context::tls_server);
    if (const Status s = set_up(context->native_handle(), tls); !s) return s.error();
    return context;
  } catch (const boost::system::system_error& e) {
    return Error{ErrorCode::kInternal, std::string("OpenSSL cannot start: ") + e.what()};
  }
}

}  // namespace driftd::exporters
