// HttpServer: serves a Router over HTTP/1.1 (civetweb behind it). It bounds what a client can make
// it do: connections, size of request line, headers and body, time to send them; what goes over is
// answered with a problem document and the connection is closed.
//
// One place answers every request (handler found, body read, handler called, answer written and
// counted in driftd_http_requests_total by route pattern): authentication belongs in front of the
// handler there, TLS into the listener's options.
//
// Thread-safety: port(), address() and stop() from any thread; handlers are called concurrently on
// the server's own threads and must be thread-safe. Cost: one thread a request that is being
// answered; keep-alive connections hold a thread for at most a second while they are idle.
// stop() takes up to two seconds beyond the running requests (civetweb polls). IPv6 needs a
// civetweb built with it (that of Debian 12 is not): start() says so. The time for a body is looked
// at every 512 bytes, because civetweb's reads cannot be given a deadline: a client that dribbles
// can hold its thread for longer than request_timeout, but never for more than 512 pauses.
//
// Source: RFC 9110, RFC 9112, RFC 9457; civetweb's C API.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/telemetry.h"
#include "core/time.h"
#include "exporters/http.h"

namespace driftd::exporters {

class HttpServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:9464";  // see listen.h; port 0: a free one, see port()
    unsigned threads = 8;                   // requests answered at the same time; 1 to 256
    unsigned max_connections = 256;         // above it they wait in the kernel's queue; >= threads
    std::size_t max_body = 16U << 20;       // bytes; above it 413
    Duration request_timeout = 30 * kSecond;  // to receive headers, and again the body; else 408
    Duration drain_timeout = 10 * kSecond;    // stop() waits this long for requests to finish
  };

  // Listens and answers from now on. kInvalidArgument: options out of their ranges. kUnavailable:
  // the address cannot be had (in use, not permitted); the message says which. `telemetry` may be
  // null and must outlive the server.
  static Result<std::unique_ptr<HttpServer>> start(const Options& options, Router router,
                                                   Telemetry* telemetry);
  ~HttpServer();  // stop()
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Answers new requests with 503, lets running ones finish, then closes. Returns when all is
  // closed; a second call does nothing.
  void stop();

  std::uint16_t port() const;   // the real one when 0 was asked for
  std::string address() const;  // "127.0.0.1:9464"

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace driftd::exporters
