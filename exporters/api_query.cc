#include "exporters/api_query.h"

#include <arpa/inet.h>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "exporters/api.h"

namespace driftd::exporters {
namespace {

constexpr std::size_t kMaxPromotion = 4096;  // bytes of a promote body; parsed, any JSON takes many times its bytes

const std::vector<std::string>& findings_parameters() {
  static const std::vector<std::string> names = {"stream", "since", "verdict", "limit", "cursor"};
  return names;
}

Response unknown(const std::string& what, const std::string& name, const std::vector<std::string>& known) {
  const auto near = nearest(name, known);
  return problem(
      400, what + " \"" + excerpt(name) + "\" is not known; " + (near ? "did you mean \"" + *near + "\"?" : "known are " + join(known)));
}

// Reads one parameter into `query`; the problem when it is wrong.
std::optional<Response> read_parameter(const std::string& name, const std::string& value, FindingsQuery& query) {
  if (name == "stream") {
    query.stream = value;
  } else if (name == "cursor") {
    query.cursor = value;
  } else if (name == "since") {
    query.since = parse_time(value);
    if (!query.since) {
      return problem(400, "since: \"" + excerpt(value) + "\" is no RFC 3339 time such as 2026-11-23T10:00:00Z");
    }
  } else if (name == "limit") {
    const auto limit = parse_integer(value);
    if (!limit || *limit < 1 || *limit > static_cast<std::int64_t>(kMaxFindingsPage)) {
      return problem(400, "limit: a number from 1 to " + std::to_string(kMaxFindingsPage));
    }
    query.limit = static_cast<std::size_t>(*limit);
  } else if (name == "verdict") {
    for (std::size_t from = 0; from <= value.size();) {
      const std::size_t comma = std::min(value.find(',', from), value.size());
      const auto one = verdict(std::string_view(value).substr(from, comma - from));
      if (!one) return problem(400, "verdict: ok, warn, fail or no_verdict, separated by commas");
      query.verdicts.push_back(*one);
      from = comma + 1;
    }
  } else {
    return unknown("the parameter", name, findings_parameters());
  }
  return std::nullopt;
}

// "host:port" of an origin such as http://host:port; empty when it is none ("null").
std::string_view host_of(std::string_view origin) {
  const std::size_t at = origin.find("://");
  return at == std::string_view::npos ? std::string_view() : origin.substr(at + 3);
}

// Whether a host (and port) is this machine whoever asks. A name may be made to mean it by whom it belongs to, once a page of his is
// open in a browser (DNS rebinding): then Origin and Host agree.
bool is_no_name(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (host.starts_with('[')) {
    in6_addr address{};
    return inet_pton(AF_INET6, std::string(host.substr(1, std::min(host.find(']'), host.size()) - 1)).c_str(), &address) == 1;
  }
  const std::string bare(host.substr(0, colon));
  in_addr address{};
  return bare == "localhost" || inet_pton(AF_INET, bare.c_str(), &address) == 1;
}

// Reads one key of the promote body; what is wrong with it, or "".
std::string read_promotion_key(const std::string& key, const nlohmann::json& value, Promotion& promotion) {
  if (key == "version" && value.is_number_unsigned()) {
    promotion.version = std::to_string(value.get<std::uint64_t>());
  } else if (!value.is_string() || value.get_ref<const std::string&>().empty()) {
    return key + ": a text that is not empty" + (key == "version" ? ", or a number" : "");
  } else if (key == "version") {
    promotion.version = value.get<std::string>();
  } else if (key == "alias") {
    promotion.alias = value.get<std::string>();
  } else {
    promotion.at = parse_time(value.get_ref<const std::string&>());
    if (!promotion.at) return "at: an RFC 3339 time such as 2026-11-23T10:00:00Z";
  }
  return "";
}

}  // namespace

OrProblem<FindingsQuery> read_findings_query(const Request& request) {
  FindingsQuery query;
  for (const auto& [name, value] : request.query) {
    if (auto wrong = read_parameter(name, value, query)) return std::move(*wrong);
  }
  return query;
}

OrProblem<Promotion> read_promotion(const Request& request) {
  static const std::vector<std::string> kKeys = {"version", "alias", "at"};
  if (request.body.size() > kMaxPromotion) return problem(413, "the body is larger than " + std::to_string(kMaxPromotion) + " bytes");
  const auto body = nlohmann::json::parse(request.body, nullptr, false);
  if (!body.is_object()) {
    return problem(400, "the body must be a JSON object such as {\"version\": 3}");
  }
  Promotion promotion;
  promotion.name = request.param("name");
  for (const auto& [key, value] : body.items()) {
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) return unknown("the key", key, kKeys);
    const std::string wrong = read_promotion_key(key, value, promotion);
    if (!wrong.empty()) return problem(400, wrong);
  }
  if (promotion.version.empty()) return problem(400, "version is missing: a version number, tag or alias");
  return promotion;
}

std::optional<Response> cross_site_problem(const Request& request) {
  const std::string* site = request.header("sec-fetch-site");
  const std::string* origin = request.header("origin");
  const std::string* host = request.header("host");
  const bool other_site = site != nullptr && *site != "same-origin" && *site != "none";
  const bool other_origin = origin != nullptr && (host == nullptr || host_of(*origin) != *host);
  if (other_site || other_origin) return problem(403, "the request comes from a page of another site");
  if (origin == nullptr || is_no_name(*host)) return std::nullopt;
  return problem(403, "the request comes from a page that goes by a name, which can be made to mean this machine; use its IP address");
}

}  // namespace driftd::exporters
