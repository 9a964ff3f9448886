#include "exporters/http.h"

#include <algorithm>
#include <array>
#include <exception>
#include <set>

#include "core/log.h"
#include "core/text.h"

namespace driftd::exporters {
namespace {

const std::string* find(const TextPairs& pairs, std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return &value;
  }
  return nullptr;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t at = text.find(separator);
    parts.push_back(text.substr(0, at));
    if (at == std::string_view::npos) return parts;
    text.remove_prefix(at + 1);
  }
}

bool is_param(std::string_view segment) { return segment.size() > 2 && segment.front() == '{' && segment.back() == '}'; }

// The parameters when `path` matches the pattern's segments.
std::optional<TextPairs> match(const std::vector<std::string>& pattern, const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  TextPairs params;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (!is_param(pattern[i])) {
      if (pattern[i] != path[i]) return std::nullopt;
    } else if (path[i].empty()) {
      return std::nullopt;
    } else {
      params.emplace_back(pattern[i].substr(1, pattern[i].size() - 2), path[i]);
    }
  }
  return params;
}

struct StatusText {
  int status;
  const char* text;
};
constexpr std::array<StatusText, 19> kStatusTexts = {{{200, "OK"},
                                                      {202, "Accepted"},
                                                      {400, "Bad Request"},
                                                      {401, "Unauthorized"},
                                                      {403, "Forbidden"},
                                                      {404, "Not Found"},
                                                      {405, "Method Not Allowed"},
                                                      {408, "Request Timeout"},
                                                      {409, "Conflict"},
                                                      {411, "Length Required"},
                                                      {413, "Content Too Large"},
                                                      {414, "URI Too Long"},
                                                      {415, "Unsupported Media Type"},
                                                      {417, "Expectation Failed"},
                                                      {429, "Too Many Requests"},
                                                      {500, "Internal Server Error"},
                                                      {501, "Not Implemented"},
                                                      {503, "Service Unavailable"},
                                                      {505, "HTTP Version Not Supported"}}};

}  // namespace

const std::string* Request::header(std::string_view name) const { return find(headers, name); }
const std::string* Request::query_value(std::string_view name) const { return find(query, name); }
const std::string& Request::param(std::string_view name) const { return *find(params, name); }

const char* status_text(int status) {
  for (const StatusText& row : kStatusTexts) {
    if (row.status == status) return row.text;
  }
  return "Error";
}

Response problem(int status, std::string_view detail, TextPairs headers) {
  Response response{status, "application/problem+json", "", std::move(headers)};
  response.body = "{\"type\":\"about:blank\",\"title\":";
  append_json_string(response.body, status_text(status));
  response.body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  append_json_string(response.body, detail);
  response.body += "}";
  return response;
}

std::optional<std::string> percent_decode(std::string_view text, bool plus) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus) c = ' ';
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]), low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return std::nullopt;
    out += c;
  }
  return out;
}

std::optional<TextPairs> parse_query(std::string_view query) {
  TextPairs out;
  if (query.empty()) return out;
  for (const std::string_view part : split(query, '&')) {
    if (part.empty()) continue;
    const std::size_t equals = std::min(part.find('='), part.size());
    auto name = percent_decode(part.substr(0, equals), true);
    auto value = percent_decode(part.substr(std::min(equals + 1, part.size())), true);
    if (!name || !value) return std::nullopt;
    out.emplace_back(std::move(*name), std::move(*value));
  }
  return out;
}

void Router::add(std::vector<std::string> methods, std::string pattern, Handler handler, bool prompt) {
  std::vector<std::string> segments;
  for (const std::string_view segment : split(pattern, '/')) segments.emplace_back(segment);
  routes_.push_back({std::move(methods), std::move(pattern), std::move(segments), std::move(handler), prompt});
}

Router::Target Router::find(std::string_view method, std::string_view path) const {
  Target target;
  target.pattern = "other";
  std::vector<std::string> segments;
  for (const std::string_view segment : split(path, '/')) {
    auto decoded = percent_decode(segment);
    if (!decoded) {
      target.error = problem(400, "the path has a broken percent escape");
      return target;
    }
    segments.push_back(std::move(*decoded));
  }
  const std::string_view wanted = method == "HEAD" ? "GET" : method;
  std::set<std::string> allowed;
  for (const Route& route : routes_) {
    auto params = match(route.segments, segments);
    if (!params) continue;
    target.pattern = route.pattern;
    if (std::find(route.methods.begin(), route.methods.end(), wanted) != route.methods.end()) {
      target.handler = &route.handler;
      target.prompt = route.prompt;
      target.params = std::move(*params);
      return target;
    }
    allowed.insert(route.methods.begin(), route.methods.end());
  }
  if (allowed.empty()) {
    target.error = problem(404, "there is nothing at this path");
  } else {
    if (allowed.count("GET") != 0) allowed.insert("HEAD");
    const std::string list = join({allowed.begin(), allowed.end()});
    target.error = problem(405, "this path takes " + list + " only", {{"Allow", list}});
  }
  return target;
}

Response answer(const Router::Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& e) {
    log::error("a request handler failed", {{"path", excerpt(request.path)}, {"error", e.what()}});
  } catch (...) {
    log::error("a request handler failed", {{"path", excerpt(request.path)}});
  }
  return problem(500, "driftd failed to answer; its log says more");
}

}  // namespace driftd::exporters
