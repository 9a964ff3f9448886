#include "alerts/target_policy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <optional>

#include "core/text.h"

namespace driftd::alerts {
namespace {

constexpr unsigned kMappedBits = 96;  // of ::ffff:0:0/96

// Never a receiver of alerts: unspecified (the own machine, on Linux), link-local (among it the
// metadata services of clouds), multicast and reserved; metadata services at other addresses.
constexpr std::array<const char*, 12> kNever = {"0.0.0.0/8",   "169.254.0.0/16",    "224.0.0.0/3", "100.100.100.200", "168.63.129.16",
                                                "::",          "fe80::/10",         "ff00::/8",    "fd00:ec2::254",   "fd20:ce::254",
                                                "fd00:42::42", "fd00:c1::a9fe:a9fe"};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  while (text.ends_with('.')) text.pop_back();  // "host." is the same name
  return text;
}

bool is_name(const std::string& host) {
  const auto allowed = [](unsigned char c) { return std::isalnum(c) != 0 || c == '.' || c == '-' || c == '_'; };
  return !host.empty() && host.size() <= 253 && std::all_of(host.begin(), host.end(), allowed);
}

std::optional<unsigned> number(const std::string& text, std::int64_t most) {
  const auto v = parse_integer(text);
  if (!v || *v < 0 || *v > most) return std::nullopt;
  return static_cast<unsigned>(*v);
}

std::string without_brackets(const std::string& host) {
  const bool brackets = host.size() > 2 && host.front() == '[' && host.back() == ']';
  return brackets ? host.substr(1, host.size() - 2) : host;
}

}  // namespace

bool TargetPolicy::parse_address(const std::string& text, Bytes& out) {
  static constexpr std::uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (inet_pton(AF_INET6, text.c_str(), out.data()) == 1) return true;
  std::memcpy(out.data(), kMapped, sizeof kMapped);
  return inet_pton(AF_INET, text.c_str(), out.data() + sizeof kMapped) == 1;
}

bool TargetPolicy::parse_entry(std::string text, Entry& out) {
  if (const std::size_t slash = text.find('/'); slash != std::string::npos) {
    const std::string network = text.substr(0, slash);
    const bool v4 = network.find(':') == std::string::npos;
    const auto bits = number(text.substr(slash + 1), v4 ? 32 : 128);
    if (!bits || !parse_address(network, out.network)) return false;
    out.prefix = *bits + (v4 ? kMappedBits : 0);
    return true;
  }
  out.prefix = 128;
  if (parse_address(text, out.network)) return true;
  const std::size_t colon = text.rfind(':');
  if (colon != std::string::npos && !text.ends_with(']')) {
    const auto port = number(text.substr(colon + 1), 65535);
    if (!port || *port == 0) return false;
    out.port = static_cast<std::uint16_t>(*port);
    text.resize(colon);
  }
  if (parse_address(without_brackets(text), out.network)) return true;
  out.host = lower(text);
  return is_name(out.host);
}

Result<TargetPolicy> TargetPolicy::make(const std::vector<std::string>& entries) {
  TargetPolicy policy;
  policy.restricted_ = true;
  for (const std::string& text : entries) {
    Entry entry;
    if (!parse_entry(text, entry)) {
      return Error{ErrorCode::kInvalidArgument, "'" + excerpt(text, 60) + "' is no host, host:port, address or network"};
    }
    policy.entries_.push_back(std::move(entry));
  }
  return policy;
}

bool TargetPolicy::contains(const Entry& entry, const Bytes& address) {
  for (unsigned bit = 0; bit < entry.prefix; ++bit) {
    const std::uint8_t mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if (((entry.network[bit / 8] ^ address[bit / 8]) & mask) != 0) return false;
  }
  return true;
}

bool TargetPolicy::lists(const Bytes& address, std::uint16_t port) const {
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& e) { return e.host.empty() && (e.port == 0 || e.port == port) && contains(e, address); });
}

bool TargetPolicy::names(const std::string& host, std::uint16_t port) const {
  if (!restricted_) return true;
  Bytes address{};
  if (parse_address(without_brackets(host), address)) return lists(address, port);
  return std::any_of(entries_.begin(), entries_.end(),
                     [&](const Entry& e) { return !e.host.empty() && e.host == lower(host) && (e.port == 0 || e.port == port); });
}

bool TargetPolicy::possible(const std::string& host, std::uint16_t port) const {
  Bytes address{};
  if (names(host, port)) return true;
  if (parse_address(without_brackets(host), address)) return false;
  return std::any_of(entries_.begin(), entries_.end(), [&](const Entry& e) { return e.host.empty() && (e.port == 0 || e.port == port); });
}

bool TargetPolicy::allows(const sockaddr* from, bool named) const {
  Bytes address{};
  std::uint16_t port = 0;
  if (from->sa_family == AF_INET6) {
    const auto* v6 = reinterpret_cast<const sockaddr_in6*>(from);
    std::memcpy(address.data(), &v6->sin6_addr, address.size());
    port = ntohs(v6->sin6_port);
  } else if (from->sa_family == AF_INET) {
    parse_address(address_text(from), address);
    port = ntohs(reinterpret_cast<const sockaddr_in*>(from)->sin_port);
  } else {
    return false;
  }
  // NAT64 (64:ff9b::/96) carries an IPv4 address; that one counts.
  static constexpr std::uint8_t kNat64[12] = {0, 0x64, 0xff, 0x9b};
  if (std::memcmp(address.data(), kNat64, sizeof kNat64) == 0) {
    std::memset(address.data(), 0, 10);
    address[10] = address[11] = 0xff;
  }
  if (lists(address, port)) return true;
  for (const char* text : kNever) {
    Entry never;
    if (parse_entry(text, never) && contains(never, address)) return false;
  }
  return named;
}

std::string address_text(const sockaddr* address) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const void* bytes = nullptr;
  if (address->sa_family == AF_INET) {
    bytes = &reinterpret_cast<const sockaddr_in*>(address)->sin_addr;
  } else if (address->sa_family == AF_INET6) {
    bytes = &reinterpret_cast<const sockaddr_in6*>(address)->sin6_addr;
  }
  if (bytes == nullptr || inet_ntop(address->sa_family, bytes, text.data(), text.size()) == nullptr) {
    return "of an unknown kind";
  }
  return text.data();
}

}  // namespace driftd::alerts
