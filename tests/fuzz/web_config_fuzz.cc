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

exporters::WebConfig read(const std::string& text, ErrorList& errors) {
  const Node root = app::parse_yaml(text, errors);
  return errors.empty() ? exporters::read_web_config(root, "/nonexistent", errors) : exporters::WebConfig();
}

// Written once and as it is, so that an error that shows it cannot have it from elsewhere.
bool stands_once(std::string_view text, std::string_view hash) {
  const std::size_t at = text.find(hash);
  return hash.size() >= 20 && at != std::string_view::npos && text.find(hash, at + 1) == std::string_view::npos;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string text(fuzz::text_of(data, size));
  ErrorList errors, again;
  const exporters::WebConfig config = read(text, errors);
  read(text, again);
  const std::string said = app::format_errors("web.yaml", errors);
  FUZZ_CHECK(said == app::format_errors("web.yaml", again), "the same text has other errors");
  FUZZ_CHECK(errors.empty() == said.empty(), said);
  for (const ConfigError& e : errors.errors()) FUZZ_CHECK(!e.message.empty() && e.line >= 0, e.message);
  for (const auto& [user, hash] : config.users) FUZZ_CHECK(!stands_once(text, hash) || said.find(hash) == std::string::npos, said);
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
