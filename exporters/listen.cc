#include "exporters/listen.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cctype>

#include "core/text.h"

namespace driftd::exporters {
namespace {

bool is_ipv4(const std::string& host) {
  in_addr address{};
  return inet_pton(AF_INET, host.c_str(), &address) == 1;
}

bool is_ipv6(const std::string& host) {
  in6_addr address{};
  return inet_pton(AF_INET6, host.c_str(), &address) == 1;
}

// A DNS name: letters, digits, dots and hyphens, not all digits and dots (a mistyped address).
bool is_name(const std::string& host) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-'; };
  const auto letter = [](unsigned char c) { return std::isalpha(c) != 0; };
  return host.size() <= 253 && std::all_of(host.begin(), host.end(), allowed) && std::any_of(host.begin(), host.end(), letter);
}

// It is not repeated: in what is no address may stand a password.
Error wrong(const std::string& why) { return {ErrorCode::kInvalidArgument, why}; }

}  // namespace

bool ListenAddress::loopback() const {
  if (host == "localhost") return true;
  in_addr v4{};
  if (inet_pton(AF_INET, host.c_str(), &v4) == 1) return (ntohl(v4.s_addr) >> 24) == 127;
  in6_addr v6{};
  return inet_pton(AF_INET6, host.c_str(), &v6) == 1 && IN6_IS_ADDR_LOOPBACK(&v6);
}

std::string ListenAddress::text() const {
  const bool brackets = host.find(':') != std::string::npos;
  return (brackets ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<ListenAddress> parse_listen(std::string_view text) {
  if (text.find('@') != std::string_view::npos) return wrong("takes no user or password; those of clients stand in the web_config");
  const std::size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return wrong("no port; write host:port");
  const std::string_view digits = text.substr(colon + 1);
  const auto port = parse_integer(digits);
  const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
  if (!port || *port > 65535 || !std::all_of(digits.begin(), digits.end(), is_digit)) {
    return wrong("the port must be a number from 0 to 65535");
  }
  ListenAddress address{std::string(text.substr(0, colon)), static_cast<std::uint16_t>(*port)};
  std::string& host = address.host;
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (!is_ipv6(host)) return wrong("what stands in [] is no IPv6 address");
    return address;
  }
  if (is_ipv6(host)) return wrong("write the IPv6 address in brackets: [::1]:9464");
  if (!host.empty() && !is_ipv4(host) && !is_name(host)) {
    return wrong("the host is neither an IP address nor a name");
  }
  return address;
}

std::string listen_problem(std::string_view listen, bool is_protected, bool allow_public) {
  const Result<ListenAddress> address = parse_listen(listen);
  if (!address) return address.error().message;
  if (address.value().loopback() || is_protected || allow_public) return "";
  return "\"" + excerpt(listen) +
         "\" can be reached from other machines, but nothing protects it; listen on 127.0.0.1, "
         "give a web_config with TLS and passwords or verified client certificates, or set "
         "allow_public: true";
}

}  // namespace driftd::exporters
