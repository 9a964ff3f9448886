#include "exporters/http_server.h"

#include <civetweb.h>

#include <algorithm>
#include <atomic>
#include <cctype>
#include <cstring>

#include "core/log.h"
#include "core/text.h"

namespace driftd::exporters {
namespace {

const char* status_text(int status) {
  switch (status) {
    case 200: return "OK";
    case 202: return "Accepted";
    case 400: return "Bad Request";
    case 404: return "Not Found";
    case 405: return "Method Not Allowed";
    case 409: return "Conflict";
    case 413: return "Content Too Large";
    case 415: return "Unsupported Media Type";
    case 429: return "Too Many Requests";
    case 503: return "Service Unavailable";
    default: return status < 500 ? "Error" : "Internal Server Error";
  }
}

std::vector<std::string> segments(const std::string& path) {
  std::vector<std::string> out;
  std::size_t at = 1;
  while (at <= path.size()) {
    const std::size_t slash = std::min(path.find('/', at), path.size());
    out.push_back(path.substr(at, slash - at));
    at = slash + 1;
  }
  return out;
}

bool matches(const std::string& pattern, const std::string& path, std::vector<std::string>& captured) {
  const auto want = segments(pattern), have = segments(path);
  if (want.size() != have.size()) return false;
  captured.clear();
  for (std::size_t i = 0; i < want.size(); ++i) {
    if (want[i] == "*" && !have[i].empty()) {
      captured.push_back(have[i]);
    } else if (want[i] != have[i]) {
      return false;
    }
  }
  return true;
}

std::string decode(const char* from, std::size_t size, bool form) {
  std::string out(size + 1, '\0');
  const int n = mg_url_decode(from, static_cast<int>(size), out.data(), static_cast<int>(out.size()), form ? 1 : 0);
  out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return out;
}

void read_query(const char* text, std::map<std::string, std::string>& out) {
  std::string_view rest = text == nullptr ? "" : text;
  while (!rest.empty()) {
    const std::string_view pair = rest.substr(0, rest.find('&'));
    rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
    const std::size_t equals = std::min(pair.find('='), pair.size());
    const std::string_view value = pair.substr(std::min(pair.size(), equals + 1));
    out[decode(pair.data(), equals, true)] = decode(value.data(), value.size(), true);
  }
}

std::string lower(std::string s) {
  for (char& c : s) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return s;
}

}  // namespace

struct HttpServer::Impl {
  mg_context* context = nullptr;
  std::vector<HttpRoute> routes;
  Telemetry* telemetry = nullptr;
  std::size_t max_body = 0;

  // The body, or a status when it is refused.
  int read_body(mg_connection* connection, const mg_request_info& request, std::string& body) const {
    if (request.content_length > static_cast<long long>(max_body)) return 413;
    char buffer[16384];
    for (;;) {
      const int n = mg_read(connection, buffer, sizeof buffer);
      if (n < 0) return 400;
      if (n == 0) return 0;
      body.append(buffer, static_cast<std::size_t>(n));
      if (body.size() > max_body) return 413;
    }
  }

  HttpResponse answer(mg_connection* connection, const mg_request_info& info, std::string& pattern, bool& keep) {
    HttpRequest request;
    request.method = info.request_method;
    request.path = info.local_uri;
    const std::string method = request.method == "HEAD" ? "GET" : request.method;
    std::string allow;
    for (const HttpRoute& route : routes) {
      if (!matches(route.pattern, request.path, request.captured)) continue;
      pattern = route.pattern;
      allow += (allow.empty() ? "" : ", ") + route.method;
      if (route.method != method) continue;
      read_query(info.query_string, request.query);
      for (int i = 0; i < info.num_headers; ++i) request.headers[lower(info.http_headers[i].name)] = info.http_headers[i].value;
      if (const int status = read_body(connection, info, request.body); status != 0) {
        keep = false;
        return problem(status, status == 413 ? "the body is larger than " + std::to_string(max_body) + " bytes" : "the body could not be read");
      }
      return route.handle(request);
    }
    keep = false;  // a body may stand unread in the connection
    if (allow.empty()) return problem(404, "there is nothing at " + excerpt(request.path));
    HttpResponse refused = problem(405, request.method + " is not for this address");
    refused.headers["Allow"] = allow;
    return refused;
  }

  static int begin(mg_connection* connection) {
    const mg_request_info* info = mg_get_request_info(connection);
    auto* self = static_cast<Impl*>(info->user_data);
    std::string pattern = "other";
    bool keep = true;
    const HttpResponse response = self->answer(connection, *info, pattern, keep);
    std::string out = "HTTP/1.1 " + std::to_string(response.status) + " " + status_text(response.status) + "\r\n";
    out += "Content-Type: " + response.content_type + "\r\nContent-Length: " + std::to_string(response.body.size()) + "\r\n";
    out += "X-Content-Type-Options: nosniff\r\n";
    for (const auto& [name, value] : response.headers) out += name + ": " + value + "\r\n";
    if (!keep) {
      out += "Connection: close\r\n";
      mg_disable_connection_keep_alive(connection);
    }
    out += "\r\n";
    if (std::strcmp(info->request_method, "HEAD") != 0) out += response.body;
    mg_write(connection, out.data(), out.size());
    self->telemetry->series(Metric::kHttpRequests, {pattern, std::to_string(response.status)}).add();
    return response.status;
  }
};

HttpResponse problem(int status, const std::string& detail) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/problem+json";
  response.body = "{\"type\":\"about:blank\",\"title\":";
  append_json_string(response.body, status_text(status));
  response.body += ",\"status\":" + std::to_string(status) + ",\"detail\":";
  append_json_string(response.body, detail);
  response.body += "}\n";
  return response;
}

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

HttpServer::~HttpServer() {
  if (impl_->context != nullptr) mg_stop(impl_->context);
}

int HttpServer::port() const {
  mg_server_port ports[1];
  return mg_get_server_ports(impl_->context, 1, ports) > 0 ? ports[0].port : 0;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(const HttpOptions& options, std::vector<HttpRoute> routes, Telemetry& telemetry) {
  auto impl = std::make_unique<Impl>();
  impl->routes = std::move(routes);
  impl->telemetry = &telemetry;
  impl->max_body = options.max_body;
  const std::string threads = std::to_string(options.threads);
  const std::string timeout = std::to_string(options.request_timeout / kMillisecond);
  std::string listen = options.listen;
  if (listen.starts_with("localhost:")) listen = "127.0.0.1" + listen.substr(9);
  if (listen.starts_with(":")) listen = listen.substr(1);
  const char* settings[] = {"listening_ports",    listen.c_str(), "num_threads", threads.c_str(), "request_timeout_ms", timeout.c_str(),
                            "enable_keep_alive",  "yes",          "keep_alive_timeout_ms", timeout.c_str(),
                            "tcp_nodelay",        "1",            nullptr};
  mg_callbacks callbacks{};
  callbacks.begin_request = Impl::begin;
  callbacks.log_message = [](const mg_connection*, const char* message) {
    log::warning("http server", {{"says", excerpt(message)}});
    return 1;
  };
  mg_init_library(0);
  Impl* raw = impl.get();
  raw->context = mg_start(&callbacks, raw, settings);
  if (raw->context == nullptr) {
    return Error{ErrorCode::kIo, "cannot listen on " + options.listen + ": is the address in use or not allowed?"};
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

std::string listen_problem(const std::string& listen, bool has_web_config, bool allow_public) {
  const std::size_t colon = listen.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_integer(std::string_view(listen).substr(colon + 1));
  if (!port || *port < 0 || *port > 65535) return "'" + excerpt(listen, 60) + "' is not host:port";
  const std::string host = listen.substr(0, colon);
  const bool local = host == "localhost" || host == "[::1]" || host.starts_with("127.");
  if (local || has_web_config || allow_public) return "";
  return "others can reach " + listen + ", and there is no web_config to keep them out; listen on 127.0.0.1, or set allow_public: true";
}

}  // namespace driftd::exporters
