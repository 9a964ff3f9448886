// TargetPolicy: where notifiers may connect to, so that a changed URL or a name that resolves to
// something else cannot make driftd talk to services it has no business with (SSRF).
//
// Without a list every URL of the configuration is a target: whoever writes the configuration says
// where alerts go. With a list (alerts.allowed_targets) a URL's host must be on it, or the address
// that is connected to must be in one of its networks. In both cases addresses that are never
// a receiver are refused unless the list names them by address: link-local ones (cloud metadata at
// 169.254.169.254), unspecified, multicast, reserved. What counts is the address of the socket, at
// each attempt, so a name that changes its address meanwhile gains nothing.
// Thread-safety: read-only after make().
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"

struct sockaddr;

namespace driftd::alerts {

class TargetPolicy {
 public:
  // Entries: "host", "host:port", "10.1.2.3", "[fd00::1]:9093", "10.0.0.0/8". kInvalidArgument
  // names the entry that is none of these.
  static Result<TargetPolicy> make(const std::vector<std::string>& entries);

  TargetPolicy() = default;  // no list

  // Whether the list names this host of a URL; true without a list.
  bool names(const std::string& host, std::uint16_t port) const;
  // False when no address could make it right: for errors in the configuration.
  bool possible(const std::string& host, std::uint16_t port) const;
  // Whether a socket to this address may be opened; `named` is names() of the URL's host.
  bool allows(const sockaddr* address, bool named) const;

 private:
  using Bytes = std::array<std::uint8_t, 16>;  // IPv6; IPv4 as ::ffff:a.b.c.d
  struct Entry {
    std::string host;        // a name, in lower case; empty: a network
    std::uint16_t port = 0;  // 0: any
    Bytes network{};
    unsigned prefix = 0;
  };
  static bool parse_address(const std::string& text, Bytes& out);
  static bool parse_entry(std::string text, Entry& out);
  static bool contains(const Entry& entry, const Bytes& address);
  bool lists(const Bytes& address, std::uint16_t port) const;

  bool restricted_ = false;
  std::vector<Entry> entries_;
};

using Targets = std::shared_ptr<const TargetPolicy>;

// "169.254.169.254" of a socket's address, for messages.
std::string address_text(const sockaddr* address);

}  // namespace driftd::alerts
