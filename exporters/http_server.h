// HttpServer: serves a Router over HTTP/1.1, with TLS and passwords as a web configuration says
// (Boost.Beast behind it). It bounds what a client can make it do: connections, size of request
// line, headers and body, bytes of all bodies together, time to send them, requests a second from one
// address, password checks; what
// goes over is answered with a problem document and the connection is closed.
//
// One thread does the input and output of all connections and never blocks; handlers that are `prompt` run on two others, those of
// GET, which may wait for a lock that a checkpoint holds, on `threads` more, those of other methods, which may wait for the disk, on as
// many again, and password checks on one. So nothing that hangs, and nobody who asks again and again meanwhile, keeps metrics and health
// from being answered; and slow clients cost memory, not threads:
// about 15 KB a connection without TLS (measured), and max_bodies. At max_connections the one that has
// waited longest for its client gives way, so that idle and slow connections lock nobody out. One that driftd works for cannot
// give way: when all but a sixteenth (256: 16) are such, requests that are not prompt are answered 503.
//
// Thread-safety: port(), address() and stop() from any thread; handlers are called concurrently and
// must be thread-safe. Answers are counted in driftd_http_requests_total by route pattern.
//
// Source: RFC 9110, RFC 9112, RFC 9457, RFC 7617.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "core/result.h"
#include "core/telemetry.h"
#include "core/time.h"
#include "exporters/http.h"
#include "exporters/web_access.h"

namespace driftd::exporters {

class HttpServer {
 public:
  struct Options {
    std::string listen = "127.0.0.1:9464";    // see listen.h; port 0: a free one, see port()
    unsigned threads = 8;                     // GETs answered at the same time, and others; 1 to 256
    unsigned max_connections = 256;           // above it the one that waits longest is closed
    std::size_t max_body = 16U << 20;         // bytes; above it 413
    std::size_t max_bodies = 128U << 20;      // bytes of all bodies on their way; above it 429
    unsigned requests_per_second = 1000;      // from one address (IPv6: its /64); above it 429
    Duration request_timeout = 30 * kSecond;  // to receive headers, and again the body; else 408
    Duration drain_timeout = 10 * kSecond;    // stop() waits this long for requests to finish
    std::shared_ptr<WebAccess> web;           // looked at every second; null: plain HTTP for all
  };

  // Listens and answers from now on. kInvalidArgument: options out of their ranges. kUnavailable:
  // the address cannot be had (in use, not permitted); the message says which. `telemetry` may be
  // null and must outlive the server.
  static Result<std::unique_ptr<HttpServer>> start(const Options& options, Router router, Telemetry* telemetry);
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
