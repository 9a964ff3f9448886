// HttpServer: HTTP/1.1 on one address, over civetweb. Handlers get whole requests and give whole responses.
//
// Handlers run on the server's threads, several at once: what they touch must be thread-safe. Bodies over
// max_body are refused while they are read; a client that is slow is cut off after request_timeout. An
// unknown path is 404, a known one with another method 405 with Allow, all as RFC 9457 problem documents.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/telemetry.h"
#include "core/time.h"

namespace driftd::exporters {

struct HttpRequest {
  std::string method;
  std::string path;
  std::map<std::string, std::string> query;    // decoded
  std::map<std::string, std::string> headers;  // names in lower case
  std::vector<std::string> captured;           // what stood at each "*" of the route
  std::string body;

  std::string header(const std::string& name) const {
    const auto it = headers.find(name);
    return it == headers.end() ? "" : it->second;
  }
};

struct HttpResponse {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  std::map<std::string, std::string> headers;
};

// An RFC 9457 problem document.
HttpResponse problem(int status, const std::string& detail);

struct HttpRoute {
  std::string method;   // "GET" serves HEAD too
  std::string pattern;  // "/api/v1/streams/*/records"; "*" is one path segment, not empty
  std::function<HttpResponse(const HttpRequest&)> handle;
};

struct HttpOptions {
  std::string listen = "127.0.0.1:9464";  // host:port; [::1]:9464; port 0 takes a free one
  unsigned threads = 4;
  std::size_t max_body = 8U << 20;
  Duration request_timeout = 10 * kSecond;
};

class HttpServer {
 public:
  static Result<std::unique_ptr<HttpServer>> start(const HttpOptions& options, std::vector<HttpRoute> routes, Telemetry& telemetry);
  ~HttpServer();  // finishes running requests

  int port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// Why `listen` must be refused: an address that others reach, without a web configuration. Empty: fine.
std::string listen_problem(const std::string& listen, bool has_web_config, bool allow_public);

}  // namespace driftd::exporters
