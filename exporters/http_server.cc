#include "exporters/http_server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>

#include <chrono>
#include <condition_variable>
#include <cstring>
#include <map>
#include <mutex>
#include <vector>

#include "core/log.h"
#include "exporters/http_connection.h"
#include "exporters/listen.h"

namespace driftd::exporters {
namespace {

namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Code = boost::system::error_code;

constexpr int kBacklog = 1024;  // connections the kernel holds until they are accepted
constexpr unsigned kPromptThreads = 2;
constexpr unsigned kKeptFree = 16;                      // of so many connections one is for what is prompt
constexpr std::chrono::milliseconds kAcceptPause{100};  // after accept was refused
constexpr std::chrono::seconds kRefresh{1};             // between looks at the web configuration

Status bind(tcp::acceptor& acceptor, const tcp::endpoint& endpoint, bool both) {
  Code ec;
  acceptor.open(endpoint.protocol(), ec);
  if (!ec) acceptor.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec && both) acceptor.set_option(asio::ip::v6_only(false), ec);
  if (!ec) acceptor.bind(endpoint, ec);
  if (!ec) acceptor.listen(kBacklog, ec);
  if (!ec) acceptor.non_blocking(true, ec);
  if (!ec) return {};
  Code ignored;
  acceptor.close(ignored);
  return Error{ErrorCode::kUnavailable, ec.message()};
}

Status listen_on(tcp::acceptor& acceptor, asio::io_context& io, const ListenAddress& address) {
  if (address.host.empty()) {  // all interfaces: one socket for IPv4 and IPv6, where there is IPv6
    if (bind(acceptor, {tcp::v6(), address.port}, true)) return {};
    return bind(acceptor, {tcp::v4(), address.port}, false);
  }
  if (address.host == "localhost") {
    return bind(acceptor, {asio::ip::address_v4::loopback(), address.port}, false);
  }
  Code ec;
  const auto found = tcp::resolver(io).resolve(address.host, std::to_string(address.port), tcp::resolver::passive, ec);
  if (ec || found.empty()) return Error{ErrorCode::kUnavailable, ec.message()};
  return bind(acceptor, found.begin()->endpoint(), false);
}

}  // namespace

struct HttpServer::Impl {
  Impl(const Options& o, Router router, Telemetry* t)
      : options(o),
        telemetry(t),
        prompt(kPromptThreads),
        handlers(o.threads),
        writers(o.threads),
        shared{io,
               prompt,
               handlers,
               writers,
               passwords,
               scrap,
               std::move(router),
               o.max_body,
               o.max_bodies,
               o.request_timeout,
               RequestRate(o.requests_per_second),
               [this] { return begin(); },
               [this](const std::string& pattern, int status) { end(pattern, status); },
               [this](std::uint64_t number) { connections.erase(number); },
               [this] { count("tls_failed"); },
               [this] { count("cut_off"); }} {
    shared.max_working = std::max(1U, o.max_connections - std::max(1U, o.max_connections / kKeptFree));
    if (telemetry == nullptr) return;
    for (const char* result : {"accepted", "evicted", "tls_failed", "cut_off"}) {
      telemetry->series(Metric::kHttpConnections, {result});
    }
  }

  Options options;
  Telemetry* telemetry = nullptr;
  ListenAddress address;
  asio::io_context io{1};
  asio::thread_pool io_thread{1}, prompt, handlers, writers, passwords{1};
  std::vector<char> scrap = std::vector<char>(65536);
  tcp::acceptor acceptor{io};
  asio::steady_timer pause{io}, refresh{io};
  HttpShared shared;
  std::uint64_t numbers = 0;
  std::map<std::uint64_t, std::shared_ptr<HttpConnection>> connections;  // of the I/O thread
  bool accept_trouble = false;
  bool stopped = true;

  std::mutex mutex;  // guards what follows
  std::condition_variable idle;
  unsigned running = 0;  // requests between begin() and end()
  bool draining = false;
  std::map<std::pair<std::string, int>, Series*> counters;

  bool begin() {
    const std::scoped_lock lock(mutex);
    ++running;
    return !draining;
  }

  void end(const std::string& pattern, int status) {
    const std::scoped_lock lock(mutex);
    if (telemetry != nullptr && status != 0) {
      Series*& counter = counters[{pattern, status}];
      if (counter == nullptr) {
        counter = &telemetry->series(Metric::kHttpRequests, {pattern, std::to_string(status)});
      }
      counter->add();
    }
    if (--running == 0) idle.notify_all();
  }

  void count(const char* result) {
    if (telemetry != nullptr) telemetry->series(Metric::kHttpConnections, {result}).add();
  }

  void accept() {
    acceptor.async_wait(tcp::acceptor::wait_read, [this](Code ec) {
      if (ec) return;  // closed
      if (take_all()) return accept();
      pause.expires_after(kAcceptPause);
      pause.async_wait([this](Code cancelled) {
        if (!cancelled) accept();
      });
    });
  }

  // False when the system refuses (descriptors, memory) or no connection can give way.
  bool take_all() {
    for (;;) {
      const bool full = connections.size() >= options.max_connections;
      if (full && oldest_waiting() == nullptr) return false;
      sockaddr_storage from{};
      socklen_t size = sizeof from;
      const int socket = accept4(acceptor.native_handle(), reinterpret_cast<sockaddr*>(&from), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (socket < 0) {
        const int error = errno;
        if (error == EAGAIN || error == EWOULDBLOCK) return true;
        if (error == ECONNABORTED || error == EINTR) continue;
        if (!accept_trouble) {
          log::warning("connections cannot be accepted; driftd goes on trying",
                       {{"listen", address.text()}, {"why", std::strerror(error)}});
        }
        accept_trouble = true;
        return evict();
      }
      accept_trouble = false;
      count("accepted");
      if (full) evict();
      take(socket, from);
    }
  }

  void take(int socket, const sockaddr_storage& from) {
    const int on = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    try {
      const std::uint64_t number = ++numbers;
      auto connection = make_http_connection(shared, number, socket, from, options.web.get());
      connections[number] = connection;
      connection->start();
    } catch (const std::exception& e) {  // no memory, or OpenSSL cannot make a session
      log::warning("a connection could not be served", {{"why", e.what()}});
    }
  }

  std::shared_ptr<HttpConnection> oldest_waiting() const {
    std::shared_ptr<HttpConnection> oldest;
    for (const auto& [number, connection] : connections) {
      if (!connection->waiting_since()) continue;
      if (oldest == nullptr || connection->waiting_since() < oldest->waiting_since()) {
        oldest = connection;
      }
    }
    return oldest;
  }

  bool evict() {
    const auto oldest = oldest_waiting();
    if (oldest == nullptr) return false;
    count("evicted");
    oldest->close();
    return true;
  }

  void look_at_web_config() {
    refresh.expires_after(kRefresh);
    refresh.async_wait([this](Code ec) {
      if (ec) return;
      asio::post(passwords, [this] { options.web->refresh(); });
      look_at_web_config();
    });
  }

  void close_all() {
    Code ignored;
    acceptor.close(ignored);
    while (!connections.empty()) connections.begin()->second->close();
    io.stop();
  }
};

HttpServer::HttpServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(const Options& options, Router router, Telemetry* telemetry) {
  Result<ListenAddress> address = parse_listen(options.listen);
  if (!address) return address.error().at("listen");
  if (options.threads < 1 || options.threads > 256 || options.max_connections < options.threads || options.max_bodies < options.max_body ||
      options.request_timeout < kSecond / 10 || options.requests_per_second < 1) {
    return Error{ErrorCode::kInvalidArgument,
                 "HTTP server: 1 to 256 threads, as many connections or more, room for one body, "
                 "a request timeout of 100ms or more and a request a second are needed"};
  }
  auto impl = std::make_unique<Impl>(options, std::move(router), telemetry);
  impl->address = address.value();
  if (const Status s = listen_on(impl->acceptor, impl->io, impl->address); !s) {
    return s.error().at("listening on " + impl->address.text());
  }
  impl->address.port = impl->acceptor.local_endpoint().port();
  impl->stopped = false;
  Impl* const self = impl.get();
  self->accept();
  if (options.web != nullptr) self->look_at_web_config();
  asio::post(self->io_thread, [self] {
    const auto guard = asio::make_work_guard(self->io);
    self->io.run();
  });
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

void HttpServer::stop() {
  if (impl_->stopped) return;
  impl_->stopped = true;
  {
    std::unique_lock lock(impl_->mutex);
    impl_->draining = true;
    impl_->idle.wait_for(lock, std::chrono::nanoseconds(impl_->options.drain_timeout), [this] { return impl_->running == 0; });
  }
  asio::post(impl_->io, [impl = impl_.get()] { impl->close_all(); });
  impl_->io_thread.join();
  for (asio::thread_pool* pool : {&impl_->prompt, &impl_->handlers, &impl_->writers, &impl_->passwords}) {
    pool->stop();  // what has not begun by now is for clients that are gone
    pool->join();
  }
}

std::uint16_t HttpServer::port() const { return impl_->address.port; }
std::string HttpServer::address() const { return impl_->address.text(); }

}  // namespace driftd::exporters
