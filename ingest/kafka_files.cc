#include "ingest/kafka_files.h"

#include <librdkafka/rdkafka.h>

#include <array>
#include <filesystem>

#include "core/key_pair.h"
#include "core/secret.h"
#include "core/text.h"

namespace driftd::ingest {
namespace {

constexpr const char* kAuthority = "ssl.ca.location";
constexpr const char* kRevoked = "ssl.crl.location";
constexpr const char* kCertificate = "ssl.certificate.location";
constexpr const char* kKey = "ssl.key.location";

// Empty is what librdkafka takes for not set.
std::string value_of(const TextPairs& options, std::string_view name) {
  std::string out;
  for (const auto& [option, value] : options) {
    if (option == name) out = value;
  }
  return out;
}

// A folder, or librdkafka's word for looking for the system's.
bool names_no_file(const std::string& authority) {
  std::error_code error;
  return authority.empty() || authority == "probe" || std::filesystem::is_directory(authority, error);
}

}  // namespace

TextPairs kafka_file_problems(const TextPairs& options) {
  TextPairs out;
  const auto say = [&](const char* option, const Status& s) {
    if (!s) out.emplace_back(option, std::string("option '") + option + "': " + s.error().message);
  };
  const auto lacks = [](const std::string& other) { return Status(Error{ErrorCode::kInvalidArgument, "needs " + other + ", too"}); };
  const auto set = [&](const char* option) { return !value_of(options, option).empty(); };
  const std::string authority = value_of(options, kAuthority);
  if (!names_no_file(authority)) say(kAuthority, try_certificate(authority));
  if (set(kRevoked)) say(kRevoked, try_file(value_of(options, kRevoked)));
  const std::string certificate = value_of(options, kCertificate);
  const std::string key = value_of(options, kKey);
  const Status usable = certificate.empty() ? Status() : try_certificate(certificate);
  say(kCertificate, usable);
  if (!key.empty()) say(kKey, try_key(key, usable ? certificate : ""));
  if (!certificate.empty() && key.empty() && !set("ssl.key.pem")) say(kCertificate, lacks(kKey));
  if (!key.empty() && certificate.empty() && !set("ssl.certificate.pem")) say(kKey, lacks(kCertificate));
  return out;
}

std::string with_kafka_files(const std::string& said, const rd_kafka_conf_s& conf) {
  TextPairs options;
  for (const char* name : {kAuthority, kRevoked, kCertificate, kKey, "ssl.certificate.pem"}) {
    std::array<char, 4096> value{};
    std::size_t size = value.size();
    if (rd_kafka_conf_get(&conf, name, value.data(), &size) == RD_KAFKA_CONF_OK) options.emplace_back(name, value.data());
  }
  std::string out = said;
  const TextPairs problems = kafka_file_problems(options);
  for (const auto& [option, why] : problems) out += "; " + why;
  if (!problems.empty()) return out;
  for (const auto& [option, path] : options) {
    if (said.find(option) != std::string::npos) out += "; " + option + " is '" + excerpt(path) + "'";
  }
  return out;
}

}  // namespace driftd::ingest
