#include "exporters/http_server.h"

#include <civetweb.h>
#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <exception>
#include <map>
#include <mutex>
#include <vector>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"
#include "exporters/listen.h"

namespace driftd::exporters {
namespace {

constexpr std::size_t kMaxTarget = 8192;          // bytes of path and query; above it 414
constexpr const char* kMaxHeaderBytes = "16384";  // request line and headers; above it 400
constexpr const char* kKeepAliveIdleMs = "1000";
constexpr std::size_t kReadAtOnce =
    512;  // civetweb waits until so many are there; see http_server.h
constexpr const char* kInvalidRequest = "invalid";  // handler label of what is no request at all

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// civetweb's form of a listening address; names are resolved here, because it only takes numbers.
Result<std::string> listening_port(const ListenAddress& address) {
  const std::string port = std::to_string(address.port);
  if (address.host.empty()) return "+" + port;  // one socket for IPv4 and IPv6
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE;
  if (address.host == "localhost") hints.ai_family = AF_INET;
  addrinfo* found = nullptr;
  const int error = getaddrinfo(address.host.c_str(), nullptr, &hints, &found);
  if (error != 0) {
    return Error{ErrorCode::kUnavailable,
                 "listening on " + address.text() + ": " + gai_strerror(error)};
  }
  std::array<char, NI_MAXHOST> host{};
  getnameinfo(found->ai_addr, found->ai_addrlen, host.data(), host.size(), nullptr, 0,
              NI_NUMERICHOST);
  const bool ipv6 = found->ai_family == AF_INET6;
  freeaddrinfo(found);
  if (ipv6 && mg_check_feature(MG_FEATURES_IPV6) == 0) {
    return Error{ErrorCode::kUnavailable, "listening on " + address.text() +
                                              ": the civetweb library of this system was built "
                                              "without IPv6; listen on an IPv4 address"};
  }
  return ListenAddress{host.data(), address.port}.text();
}

// What a request became before its handler could run: a problem to answer with, or nothing.
using Refusal = std::optional<Response>;

Refusal read_body(mg_connection* conn, const HttpServer::Options& options, Request& request) {
  const long long announced = mg_get_request_info(conn)->content_length;
  const std::string limit =
      "the body is larger than " + std::to_string(options.max_body) + " bytes";
  if (announced > 0 && static_cast<std::size_t>(announced) > options.max_body) {
    return problem(413, limit);
  }
  const std::string* expect = request.header("expect");
  if (expect != nullptr) {
    if (lower(*expect) != "100-continue") return problem(417, "Expect takes 100-continue only");
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    mg_write(conn, kContinue.data(), kContinue.size());
  }
  if (announced > 0) request.body.reserve(static_cast<std::size_t>(announced));
  const Deadline deadline = Deadline::after(options.request_timeout);
  std::array<char, kReadAtOnce> buffer{};
  while (true) {
    const int n = mg_read(conn, buffer.data(), buffer.size());
    if (n < 0) return problem(400, "the body could not be read");
    if (n == 0) break;
    if (request.body.size() + static_cast<std::size_t>(n) > options.max_body) {
      return problem(413, limit);
    }
    request.body.append(buffer.data(), static_cast<std::size_t>(n));
    if (deadline.passed()) return problem(408, "the body did not arrive in time");
  }
  if (announced > 0 && request.body.size() < static_cast<std::size_t>(announced)) {
    return problem(408, "the body did not arrive in time, or is shorter than its Content-Length");
  }
  return std::nullopt;
}

void send(mg_connection* conn, const Response& response, bool without_body, bool close) {
  if (close) mg_disable_connection_keep_alive(conn);
  mg_response_header_start(conn, response.status);
  const auto add = [&](const char* name, const std::string& value) {
    mg_response_header_add(conn, name, value.c_str(), static_cast<int>(value.size()));
  };
  add("Content-Type", response.content_type);
  add("Content-Length", std::to_string(response.body.size()));
  add("Cache-Control", "no-store");
  add("X-Content-Type-Options", "nosniff");
  for (const auto& [name, value] : response.headers) add(name.c_str(), value);
  mg_response_header_send(conn);
  if (!without_body) mg_write(conn, response.body.data(), response.body.size());
}

Response call(const Router::Handler& handler, const Request& request) {
  try {
    return handler(request);
  } catch (const std::exception& e) {
    log::error("a request handler failed", {{"path", excerpt(request.path)}, {"error", e.what()}});
  } catch (...) {
    log::error("a request handler failed", {{"path", excerpt(request.path)}});
  }
  return problem(500, "driftd failed to answer; its log says more");
}

}  // namespace

struct HttpServer::Impl {
  Options options;
  Router router;
  Telemetry* telemetry = nullptr;
  ListenAddress address;
  mg_context* context = nullptr;

  std::mutex mutex;  // guards what follows
  std::condition_variable idle;
  unsigned running = 0;  // requests between begin() and end()
  bool draining = false;
  std::string first_message;  // of civetweb, for errors at start: the first says why
  std::map<std::pair<std::string, int>, Series*> counters;

  bool begin() {
    const std::scoped_lock lock(mutex);
    ++running;
    return !draining;
  }

  void end(const std::string& pattern, int status) {
    const std::scoped_lock lock(mutex);
    if (telemetry != nullptr) {
      Series*& counter = counters[{pattern, status}];
      if (counter == nullptr) {
        counter = &telemetry->series(Metric::kHttpRequests, {pattern, std::to_string(status)});
      }
      counter->add();
    }
    if (--running == 0) idle.notify_all();
  }

  // Answers one request; returns its status.
  int answer(mg_connection* conn) {
    const bool open = begin();
    const mg_request_info& from = *mg_get_request_info(conn);
    Request request;
    request.method = from.request_method;
    request.path = from.local_uri_raw != nullptr ? from.local_uri_raw : "";
    const std::string_view query = from.query_string != nullptr ? from.query_string : "";
    for (int i = 0; i < from.num_headers; ++i) {
      request.headers.emplace_back(lower(from.http_headers[i].name), from.http_headers[i].value);
    }
    Router::Target target = router.find(request.method, request.path);
    bool close = true;
    Response response = std::move(target.error);
    auto parsed = parse_query(query);
    if (!open) {
      response = problem(503, "driftd is shutting down", {{"Retry-After", "5"}});
    } else if (request.path.size() + query.size() > kMaxTarget) {
      response = problem(414, "the path is longer than " + std::to_string(kMaxTarget) + " bytes");
    } else if (target.handler != nullptr && !parsed) {
      response = problem(400, "the query has a broken percent escape");
    } else if (target.handler != nullptr) {
      if (Refusal refusal = read_body(conn, options, request)) {
        response = std::move(*refusal);
      } else {
        request.params = std::move(target.params);
        request.query = std::move(*parsed);
        response = call(*target.handler, request);
        close = false;
      }
    } else {
      close = from.content_length > 0 || request.header("transfer-encoding") != nullptr;
    }
    send(conn, response, request.method == "HEAD", close);
    end(target.pattern, response.status);
    return response.status;
  }

  static Impl& of(const mg_connection* conn) {
    return *static_cast<Impl*>(mg_get_user_data(mg_get_context(conn)));
  }

  // civetweb refused it before it became a request.
  void refuse(mg_connection* conn, int status) {
    begin();
    const Response response =
        problem(status, std::string("the request line or headers are malformed or larger than ") +
                            kMaxHeaderBytes + " bytes");
    send(conn, response, false, true);
    end(kInvalidRequest, status);
  }

  mg_callbacks callbacks() const {
    mg_callbacks out{};
    // No exception may pass through C: what is thrown here is std::bad_alloc, and the connection is
    // closed without an answer.
    out.begin_request = [](mg_connection* conn) {
      try {
        return of(conn).answer(conn);
      } catch (...) {
        mg_disable_connection_keep_alive(conn);
        return 500;
      }
    };
    out.http_error = [](mg_connection* conn, int status, const char*) {
      try {
        of(conn).refuse(conn, status);
      } catch (...) {
        mg_disable_connection_keep_alive(conn);
      }
      return 0;
    };
    out.log_message = [](const mg_connection* conn, const char* message) {
      try {
        Impl& self = of(conn);
        const std::scoped_lock lock(self.mutex);
        if (self.first_message.empty()) self.first_message = excerpt(message, 300);
      } catch (...) {
        return 1;
      }
      return 1;
    };
    return out;
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Options& options, Router router,
                                                      Telemetry* telemetry) {
  Result<ListenAddress> address = parse_listen(options.listen);
  if (!address) return address.error().at("listen");
  if (options.threads < 1 || options.threads > 256 || options.max_connections < options.threads ||
      options.request_timeout < kSecond / 10) {
    return Error{
        ErrorCode::kInvalidArgument,
        "HTTP server: 1 to 256 threads, as many connections or more, and a request timeout "
        "of 100ms or more are needed"};
  }
  Result<std::string> port = listening_port(address.value());
  if (!port) return port.error();

  auto impl = std::make_unique<Impl>();
  impl->options = options;
  impl->router = std::move(router);
  impl->telemetry = telemetry;
  impl->address = address.value();
  const std::string threads = std::to_string(options.threads);
  const std::string queue = std::to_string(std::max(1U, options.max_connections - options.threads));
  const std::string timeout = std::to_string(options.request_timeout / kMillisecond);
  std::array<const char*, 23> settings = {"listening_ports",
                                          port.value().c_str(),
                                          "num_threads",
                                          threads.c_str(),
                                          "connection_queue",
                                          queue.c_str(),
                                          "request_timeout_ms",
                                          timeout.c_str(),
                                          "max_request_size",
                                          kMaxHeaderBytes,
                                          "enable_keep_alive",
                                          "yes",
                                          "keep_alive_timeout_ms",
                                          kKeepAliveIdleMs,
                                          "tcp_nodelay",
                                          "1",
                                          "decode_url",
                                          "no",
                                          "decode_query_string",
                                          "no",
                                          "enable_auth_domain_check",
                                          "no",
                                          nullptr};
  const mg_callbacks callbacks = impl->callbacks();
  mg_init_library(0);
  mg_init_data init{&callbacks, impl.get(), settings.data()};
  std::array<char, 256> text{};
  mg_error_data error{nullptr, text.data(), text.size()};
  impl->context = mg_start2(&init, &error);
  if (impl->context == nullptr) {
    mg_exit_library();
    const std::string why = impl->first_message.empty() ? text.data() : impl->first_message;
    return Error{ErrorCode::kUnavailable, "listening on " + impl->address.text() + ": " + why};
  }
  mg_server_port bound{};
  if (mg_get_server_ports(impl->context, 1, &bound) == 1) {
    impl->address.port = static_cast<std::uint16_t>(bound.port);
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::stop() {
  if (impl_->context == nullptr) return;
  {
    // civetweb cuts answers short as soon as it is told to stop, so wait before telling it.
    std::unique_lock lock(impl_->mutex);
    impl_->draining = true;
    impl_->idle.wait_for(lock, std::chrono::nanoseconds(impl_->options.drain_timeout),
                         [this] { return impl_->running == 0; });
  }
  mg_stop(impl_->context);
  impl_->context = nullptr;
  mg_exit_library();
}

std::uint16_t HttpServer::port() const { return impl_->address.port; }
std::string HttpServer::address() const { return impl_->address.text(); }

}  // namespace driftd::exporters
