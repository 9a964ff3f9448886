// WebConfig: who may use driftd's HTTP server, in the format that Prometheus' exporters share
// (exporter-toolkit's web configuration file): TLS, client certificates, passwords, headers.
//
// Keys are the toolkit's. What is different: certificate and key come from files only, TLS 1.2 is
// the oldest version, client_allowed_sans is not known, and `http2` is taken and has no effect
// (driftd speaks HTTP/1.1). Unknown keys are errors with line, column and a suggestion.
// Source: github.com/prometheus/exporter-toolkit, docs/web-configuration.md.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/node.h"
#include "core/params.h"

namespace driftd::exporters {

// What a client must show of itself. Go's names, as the format has them.
enum class ClientAuth {
  kNone,              // NoClientCert
  kRequest,           // RequestClientCert: asked for, not verified
  kRequireAny,        // RequireAnyClientCert: needed, not verified
  kVerifyIfGiven,     // VerifyClientCertIfGiven
  kRequireAndVerify,  // RequireAndVerifyClientCert
};

struct WebConfig {
  struct Tls {
    std::string cert_file;  // PEM, the chain after the certificate
    std::string key_file;   // PEM, not encrypted; `credential:NAME` works
    ClientAuth client_auth = ClientAuth::kNone;
    std::string client_ca_file;              // PEM
    std::string min_version, max_version;    // TLS12, TLS13
    std::vector<std::string> cipher_suites;  // IANA names, of TLS 1.2; empty: OpenSSL's choice
    std::vector<std::string> curves;         // OpenSSL's names
    bool prefer_server_ciphers = true;
  };
  std::optional<Tls> tls;
  std::vector<std::pair<std::string, std::string>> headers;  // added to every answer
  std::map<std::string, std::string> users;                  // name -> bcrypt hash

  // Strangers are kept out and passwords are not sent in the clear: TLS, and with it passwords or
  // verified client certificates.
  bool protects() const { return tls && (!users.empty() || tls->client_auth == ClientAuth::kRequireAndVerify); }
};

const std::vector<ParamSpec>& web_config_params();

// Relative paths are relative to `folder`, the file's own. Hashes are never repeated in errors.
WebConfig read_web_config(const Node& root, const std::string& folder, ErrorList& errors);

}  // namespace driftd::exporters
