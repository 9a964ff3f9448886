// Addresses that the HTTP server listens on: "host:port", where host is an IPv4 address, an IPv6
// address in brackets, a name, or empty for all interfaces; port 0 asks for a free one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

namespace driftd::exporters {

struct ListenAddress {
  std::string host;  // without brackets; empty: all interfaces, IPv4 and IPv6
  std::uint16_t port = 0;

  // 127.0.0.0/8, ::1 or "localhost": only this machine can connect. A name other than localhost
  // counts as public, because what it resolves to can change.
  bool loopback() const;
  // "127.0.0.1:9464", "[::1]:9464", ":9464".
  std::string text() const;
};

// kInvalidArgument says what is wrong with it.
Result<ListenAddress> parse_listen(std::string_view text);

// Empty when driftd may listen there, else a sentence for the configuration's error: an address
// that other machines reach needs a web_config that protects it (WebConfig::protects()) or an
// explicit permission.
std::string listen_problem(std::string_view listen, bool is_protected, bool allow_public);

}  // namespace driftd::exporters
