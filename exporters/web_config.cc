#include "exporters/web_config.h"

#include <algorithm>
#include <array>

#include "core/secret.h"
#include "core/text.h"
#include "exporters/basic_auth.h"

namespace driftd::exporters {
namespace {

using T = ParamType;

constexpr std::array<const char*, 5> kClientAuth = {"NoClientCert", "RequestClientCert", "RequireAnyClientCert", "VerifyClientCertIfGiven",
                                                    "RequireAndVerifyClientCert"};
constexpr std::array<std::pair<const char*, const char*>, 4> kCurves = {
    {{"CurveP256", "P-256"}, {"CurveP384", "P-384"}, {"CurveP521", "P-521"}, {"X25519", "X25519"}}};
constexpr std::size_t kMaxUsers = 10000;

std::vector<ParamSpec> tls_params() {
  return {
      {.name = "cert_file", .sentence = "PEM file of the certificate and its chain", .required = true},
      {.name = "key_file", .sentence = "PEM file of the key, or credential:NAME", .required = true},
      {.name = "client_auth_type",
       .type = T::kChoice,
       .sentence = "What clients must show",
       .default_text = kClientAuth[0],
       .choices = {kClientAuth.begin(), kClientAuth.end()}},
      {.name = "client_ca_file", .sentence = "PEM file of the authorities of client certificates"},
      {.name = "min_version", .type = T::kChoice, .sentence = "Oldest TLS version", .default_text = "TLS12", .choices = {"TLS12", "TLS13"}},
      {.name = "max_version", .type = T::kChoice, .sentence = "Newest TLS version", .default_text = "TLS13", .choices = {"TLS12", "TLS13"}},
      {.name = "cipher_suites", .type = T::kTextList, .sentence = "Ciphers of TLS 1.2, by their IANA names"},
      {.name = "curve_preferences",
       .type = T::kTextList,
       .sentence = "Elliptic curves in order",
       .choices = {kCurves[0].first, kCurves[1].first, kCurves[2].first, kCurves[3].first}},
      {.name = "prefer_server_cipher_suites",
       .type = T::kBoolean,
       .sentence = "Choose the cipher by the server's order",
       .default_text = "true"},
  };
}

std::string in_folder(const std::string& folder, const std::string& path) {
  if (path.empty() || path.starts_with("/") || is_credential(path) || folder.empty()) return path;
  return folder + "/" + path;
}

WebConfig::Tls read_tls(const Params& params, const Node& at, const std::string& folder, ErrorList& errors) {
  WebConfig::Tls tls;
  if (at.is_null()) errors.add(at, "tls_server_config is empty; it needs cert_file and key_file");
  for (const char* name : {"cert_file", "key_file"}) {
    if (params.has(name) && params.text(name).empty())
      errors.add(params.node(name), std::string("tls_server_config: ") + name + " is empty");
  }
  tls.cert_file = in_folder(folder, params.text("cert_file"));
  tls.key_file = in_folder(folder, params.text("key_file"));
  tls.client_ca_file = in_folder(folder, params.text("client_ca_file"));
  tls.client_auth =
      static_cast<ClientAuth>(std::find(kClientAuth.begin(), kClientAuth.end(), params.text("client_auth_type")) - kClientAuth.begin());
  tls.min_version = params.text("min_version");
  tls.max_version = params.text("max_version");
  tls.cipher_suites = params.texts("cipher_suites");
  for (const std::string& name : params.texts("curve_preferences")) {
    for (const auto& [theirs, ours] : kCurves) {
      if (name == theirs) tls.curves.push_back(ours);
    }
  }
  tls.prefer_server_ciphers = params.boolean("prefer_server_cipher_suites");
  const bool verifies = tls.client_auth == ClientAuth::kVerifyIfGiven || tls.client_auth == ClientAuth::kRequireAndVerify;
  if (verifies && tls.client_ca_file.empty()) {
    errors.add(at, "tls_server_config: client certificates cannot be verified without client_ca_file");
  }
  if (!verifies && !tls.client_ca_file.empty()) {
    errors.add(at, "tls_server_config: client_ca_file has no effect with this client_auth_type",
               "set client_auth_type: RequireAndVerifyClientCert");
  }
  if (tls.min_version > tls.max_version) {
    errors.add(at, "tls_server_config: min_version is newer than max_version");
  }
  return tls;
}

// A hash that came to stand where the name belongs (USER:HASH pasted as one word, or the two the wrong way round) is
// not to be read in a log.
std::string named(const std::string& user) {
  return user.find('$') == std::string::npos ? "user '" + excerpt(user, 60) + "': " : "a user whose name has a '$': ";
}

void read_users(const Node& node, WebConfig& config, ErrorList& errors) {
  if (!node.is_map()) return errors.add(node, "basic_auth_users must be a map of users to hashes");
  if (node.entries.size() > kMaxUsers) {
    return errors.add(node, "basic_auth_users: more than " + std::to_string(kMaxUsers) + " users");
  }
  for (const auto& [user, hash] : node.entries) {
    const std::string what = "basic_auth_users: " + named(user);
    if (user.empty() || user.find(':') != std::string::npos) {
      errors.add(hash, what + "a name is not empty and has no colon");
    }
    const std::string problem = hash.is_scalar() ? bcrypt_problem(hash.scalar) : "is no text";
    if (!problem.empty()) {
      errors.add(hash, what + "the hash " + problem, "make one with: htpasswd -nBC 10 USER");
    }
    config.users[user] = hash.scalar;
  }
}

}  // namespace

const std::vector<ParamSpec>& web_config_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "tls_server_config", .type = T::kNode, .sentence = "TLS; absent: plain HTTP", .fields = tls_params()},
      {.name = "http_server_config",
       .type = T::kNode,
       .sentence = "HTTP",
       .fields = {{.name = "http2", .type = T::kBoolean, .sentence = "No effect: driftd speaks HTTP/1.1", .default_text = "true"},
                  {.name = "headers",
                   .type = T::kNode,
                   .sentence = "Headers added to every answer",
                   .fields = {{.name = "Strict-Transport-Security", .sentence = "HSTS"},
                              {.name = "X-Content-Type-Options", .type = T::kChoice, .sentence = "Always sent", .choices = {"nosniff"}},
                              {.name = "X-Frame-Options",
                               .type = T::kChoice,
                               .sentence = "Who may frame the page",
                               .choices = {"deny", "sameorigin"}},
                              {.name = "X-XSS-Protection", .sentence = "For old browsers"},
                              {.name = "Content-Security-Policy", .sentence = "CSP"}}}}},
      {.name = "basic_auth_users", .type = T::kNode, .sentence = "Users and bcrypt hashes of their passwords", .secret = true},
  };
  return specs;
}

WebConfig read_web_config(const Node& root, const std::string& folder, ErrorList& errors) {
  const Params params = read_params(root, web_config_params(), "web configuration", errors);
  WebConfig config;
  if (params.has("tls_server_config")) {
    config.tls = read_tls(params.nested("tls_server_config"), params.node("tls_server_config"), folder, errors);
  }
  const Params& http = params.nested("http_server_config");
  for (const auto& [name, value] : http.node("headers").entries) {
    if (!value.is_scalar() || name == "X-Content-Type-Options") continue;  // that one is always sent
    const auto control = [](unsigned char c) { return c < ' ' || c == 0x7f; };
    if (std::any_of(value.scalar.begin(), value.scalar.end(), control)) {
      errors.add(value, "headers: " + excerpt(name, 60) + ": has control characters");
    }
    config.headers.emplace_back(name, value.scalar);
  }
  if (params.has("basic_auth_users")) read_users(params.node("basic_auth_users"), config, errors);
  return config;
}

}  // namespace driftd::exporters
