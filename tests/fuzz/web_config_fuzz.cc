// The web configuration file: any text is one, or errors that say where, the same each time, and that never show a
// password's hash.
#include <algorithm>

#include "app/config/config.h"
#include "app/config/yaml.h"
#include "exporters/basic_auth.h"
#include "exporters/web_config.h"
#include "tests/fuzz/fuzz.h"

namespace {

using namespace driftd;

std::string said_of(const ErrorList& errors) { return app::format_errors("web.yaml", errors); }

// The same with other hashes of the same kind, of which errors must say the same: what they say is of no hash.
Node with_other_hashes(Node root) {
  constexpr const char* kHash = "$2y$05$8fmQf.KImGhQQSo7mSkHQeFXoS0LsVzXqlvdZ.ELsYFShgxzMsyMa";
  constexpr const char* kOfCost99 = "$2y$99$8fmQf.KImGhQQSo7mSkHQeFXoS0LsVzXqlvdZ.ELsYFShgxzMsyMa";
  for (auto& [key, users] : root.entries) {
    if (key != "basic_auth_users") continue;
    for (auto& [user, hash] : users.entries) {
      if (!hash.is_scalar()) continue;
      const std::string problem = exporters::bcrypt_problem(hash.scalar);
      hash.scalar = problem.empty() ? kHash : problem.find("cost") != std::string::npos ? kOfCost99 : "no hash";
    }
  }
  return root;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  ErrorList errors, again, others;
  const Node root = app::parse_yaml(text, errors);
  app::parse_yaml(text, again);
  FUZZ_CHECK(said_of(errors) == said_of(again), "the same text has other errors");
  FUZZ_CHECK(errors.empty() == said_of(errors).empty(), said_of(errors));
  for (const ConfigError& e : errors.errors()) FUZZ_CHECK(!e.message.empty() && e.line >= 0, e.message);
  if (!errors.empty()) return 0;
  const exporters::WebConfig config = exporters::read_web_config(root, "/nonexistent", errors);
  exporters::read_web_config(root, "/nonexistent", again);
  exporters::read_web_config(with_other_hashes(root), "/nonexistent", others);
  FUZZ_CHECK(said_of(errors) == said_of(again), "the same text has other errors");
  FUZZ_CHECK(said_of(errors) == said_of(others), "errors show what a hash is:\n" + said_of(errors) + said_of(others));
  FUZZ_CHECK(errors.empty() == said_of(errors).empty(), said_of(errors));
  for (const ConfigError& e : errors.errors()) {
    FUZZ_CHECK(!e.message.empty() && e.line >= 0, e.message);
    FUZZ_CHECK(!e.message.starts_with("basic_auth_users: user '") || e.message.find('$') == std::string::npos, e.message);
  }
  if (!errors.empty()) return 0;
  for (const auto& [user, hash] : config.users) {
    FUZZ_CHECK(!user.empty() && user.find(':') == std::string::npos, "a user whom no client can name: " + user);
    FUZZ_CHECK(exporters::bcrypt_problem(hash).empty(), "a hash that no password has: " + hash);
  }
  for (const auto& [name, value] : config.headers)
    FUZZ_CHECK(std::none_of(value.begin(), value.end(), [](unsigned char c) { return c < ' ' || c == 0x7f; }), "a header that ends early");
  if (!config.tls) {
    FUZZ_CHECK(!config.protects(), "protects without TLS");
    return 0;
  }
  using exporters::ClientAuth;
  FUZZ_CHECK(!config.tls->cert_file.empty() && !config.tls->key_file.empty(), "TLS without a certificate");
  FUZZ_CHECK(config.tls->client_auth != ClientAuth::kRequireAndVerify || !config.tls->client_ca_file.empty(), "nobody to verify with");
  FUZZ_CHECK(config.tls->min_version >= "TLS12" && config.tls->min_version <= config.tls->max_version, config.tls->min_version);
  return 0;
}
