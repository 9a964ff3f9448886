#include "exporters/http_connection.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include <chrono>
#include <limits>

#include "core/clock.h"
#include "core/log.h"
#include "core/text.h"

namespace driftd::exporters {
namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using tcp = asio::ip::tcp;
using TlsStream = asio::ssl::stream<tcp::socket>;
using Code = boost::system::error_code;

constexpr std::size_t kMaxTarget = 8192;          // bytes of path and query; above it 414
constexpr std::uint32_t kMaxHeaderBytes = 16384;  // request line and headers; above it 400
constexpr std::size_t kMaxChecks = 32;            // password checks waiting; above it 429
constexpr Duration kLinger = kSecond;             // for a client to read the last answer
constexpr std::size_t kMaxLinger = 64U << 20;     // bytes thrown away meanwhile
constexpr Duration kCancelAgain = 20 * kMillisecond;
constexpr const char* kInvalidRequest = "invalid";  // handler label of what is no request at all

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

template <class Stream>
class Connection final : public HttpConnection, public std::enable_shared_from_this<Connection<Stream>> {
 public:
  static constexpr bool kTls = std::is_same_v<Stream, TlsStream>;

  template <class... Args>
  Connection(HttpShared& shared, std::uint64_t number, std::uint64_t client, WebAccess* web, std::shared_ptr<const WebAccess::State> state,
             tcp::socket socket, Args&... context)
      : shared_(shared),
        number_(number),
        client_(client),
        web_(web),
        state_(std::move(state)),
        tls_(tls_of(state_)),
        stream_(std::move(socket), context...),
        timer_(shared.io),
        buffer_(kMaxHeaderBytes + 4096) {}

  void start() override {
    wait(shared_.request_timeout);
    if constexpr (kTls) {
      stream_.async_handshake(asio::ssl::stream_base::server, bind([](auto& self, Code ec) {
                                if (!ec) return self.read_header();
                                self.shared_.tls_failed();
                                log::debug("a TLS handshake failed", {{"why", ec.message()}});
                                self.close();
                              }));
    } else {
      read_header();
    }
  }

  void close() override {
    if (closed_) return;
    closed_ = true;
    Code ignored;
    timer_.cancel(ignored);
    socket().close(ignored);
    release_body();
    if (begun_) end(0);
    shared_.gone(number_);
  }

 private:
  tcp::socket& socket() {
    if constexpr (kTls) {
      return stream_.next_layer();
    } else {
      return stream_;
    }
  }

  using TlsContext = std::shared_ptr<asio::ssl::context>;
  static TlsContext tls_of(const std::shared_ptr<const WebAccess::State>& state) { return state == nullptr ? nullptr : state->tls; }

  // A completion handler that keeps the connection alive and does nothing once it is closed.
  template <class F>
  auto bind(F f) {
    return [self = this->shared_from_this(), f](Code ec, auto&&...) {
      if (!self->closed_) f(*self, ec);
    };
  }

  // The client has this long from now; then what waits for it is cancelled.
  void wait(Duration time) {
    timed_out_ = false;
    waiting_since_ = monotonic_now();
    timer_.expires_after(std::chrono::nanoseconds(time));
    watch();
  }

  void watch() {
    timer_.async_wait([weak = this->weak_from_this()](Code ec) {
      const auto self = weak.lock();
      if (ec || self == nullptr || self->closed_ || !self->waiting_since_) return;
      if (self->timer_.expiry() > std::chrono::steady_clock::now()) return;  // set anew meanwhile
      self->timed_out_ = true;
      Code ignored;
      self->socket().cancel(ignored);
      // What reads several times goes on when that came between two of them: then it is cancelled again (bodies: read_body()).
      self->timer_.expires_after(std::chrono::nanoseconds(kCancelAgain));
      self->watch();
    });
  }

  void work() {
    waiting_since_.reset();
    timer_.cancel();
  }

  void read_header() {
    parser_.emplace();
    parser_->header_limit(kMaxHeaderBytes);
    parser_->body_limit(std::numeric_limits<std::uint64_t>::max());  // judged in route()
    wait(shared_.request_timeout);
    http::async_read_header(stream_, buffer_, *parser_, bind([](auto& self, Code ec) { self.on_header(ec); }));
  }

  void on_header(Code ec) {
    const bool some = parser_->got_some() || buffer_.size() > 0;
    if (!ec) {
      if (web_ != nullptr) state_ = web_->current();
      // Who may connect has changed: by the new rules this client may not be here. As a connection that was idle for too long, it
      // ends unanswered, so that clients connect again.
      return tls_of(state_) == tls_ ? on_request() : close();
    }
    if (timed_out_ && some) return refuse(408, "the request's headers did not arrive in time");
    if (ec == http::make_error_code(http::error::end_of_stream) || timed_out_) return finish();
    if (ec.category() != http::make_error_code(http::error::bad_method).category()) return close();
    refuse(400, "the request line or headers are malformed or larger than " + std::to_string(kMaxHeaderBytes) + " bytes");
  }

  void on_request() {
    open_ = shared_.begin();
    begun_ = true;
    pattern_ = "other";
    const auto& message = parser_->get();
    request_ = {};
    request_.method = std::string(message.method_string());
    const std::string_view target(message.target().data(), message.target().size());
    const std::size_t mark = std::min(target.find('?'), target.size());
    request_.path = target.substr(0, mark);
    query_ = target.substr(std::min(mark + 1, target.size()));
    for (const auto& field : message) {
      request_.headers.emplace_back(lower({field.name_string().data(), field.name_string().size()}), std::string(field.value()));
    }
    if (!shared_.rate.take(client_, monotonic_now())) {
      return respond(problem(429, "too many requests a second from this address", {{"Retry-After", "1"}}), !parser_->is_done());
    }
    if (const std::string* coding = request_.header("transfer-encoding"); coding != nullptr && lower(*coding) != "chunked") {
      return respond(problem(501, "Transfer-Encoding takes chunked only"), true);  // where the body ends is not known
    }
    if (state_ == nullptr || state_->auth == nullptr) return route();
    authenticate(state_->auth);
  }

  void authenticate(std::shared_ptr<BasicAuth> auth) {
    const std::string* given = request_.header("authorization");
    if (given == nullptr) return unauthorized();
    if (auth->known(*given)) return route();
    if (shared_.checks >= kMaxChecks) {
      return respond(problem(429, "too many passwords are being checked", {{"Retry-After", "1"}}), true);
    }
    ++shared_.checks;
    work();
    asio::post(shared_.passwords, [self = this->shared_from_this(), auth, text = *given] {
      const bool good = auth->check(text);
      asio::post(self->shared_.io, [self, good] {
        --self->shared_.checks;
        if (self->closed_) return;
        good ? self->route() : self->unauthorized();
      });
    });
  }

  void unauthorized() {
    respond(problem(401, "a user and a password are needed", {{"WWW-Authenticate", "Basic realm=\"driftd\", charset=\"UTF-8\""}}),
            !parser_->is_done());
  }

  void route() {
    const bool bodiless = parser_->is_done();
    if (request_.path.size() + query_.size() > kMaxTarget) {
      return respond(problem(414, "the path is longer than " + std::to_string(kMaxTarget) + " bytes"), true);
    }
    Router::Target target = shared_.router.find(request_.method, request_.path);
    pattern_ = target.pattern;
    if (!open_) return respond(problem(503, "driftd is shutting down", {{"Retry-After", "5"}}), true);
    if (target.handler == nullptr) return respond(std::move(target.error), !bodiless);
    auto parsed = parse_query(query_);
    if (!parsed) return respond(problem(400, "the query has a broken percent escape"), !bodiless);
    handler_ = target.handler;
    prompt_ = target.prompt;
    request_.params = std::move(target.params);
    request_.query = std::move(*parsed);
    bodiless ? handle() : expect_body();
  }

  void expect_body() {
    const auto length = parser_->content_length();
    if (length && *length > shared_.max_body) return too_large();
    const std::size_t announced = length ? static_cast<std::size_t>(*length) : shared_.max_body;
    if (shared_.bodies + announced > shared_.max_bodies) {
      return respond(problem(429, "too many bodies are on their way", {{"Retry-After", "1"}}), true);
    }
    shared_.bodies += announced;
    body_ = announced;
    parser_->body_limit(shared_.max_body);
    parser_->eager(true);
    wait(shared_.request_timeout);
    const std::string* expect = request_.header("expect");
    if (expect == nullptr) return read_body();
    if (lower(*expect) != "100-continue") {
      return respond(problem(417, "Expect takes 100-continue only"), true);
    }
    static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
    asio::async_write(stream_, asio::buffer(kContinue.data(), kContinue.size()),
                      bind([](auto& self, Code ec) { ec ? self.close() : self.read_body(); }));
  }

  // Looks at the time between two reads: when a client sends without a pause none of them ever waits, so none can be cancelled.
  void read_body() {
    Code ec;
    if (buffer_.size() > 0) buffer_.consume(parser_->put(buffer_.data(), ec));
    if (ec && ec != http::make_error_code(http::error::need_more)) return bad_body(ec);
    if (parser_->is_done()) {
      request_.body = std::move(parser_->get().body());
      return handle();
    }
    const std::size_t room = buffer_.max_size() - buffer_.size();
    if (timed_out_ || room == 0) return bad_body(ec);
    stream_.async_read_some(buffer_.prepare(room), [self = this->shared_from_this()](Code failed, std::size_t n) {
      if (self->closed_) return;
      self->buffer_.commit(n);
      failed ? self->bad_body(failed) : self->read_body();
    });
  }

  void bad_body(Code ec) {
    if (timed_out_) return respond(problem(408, "the body did not arrive in time"), true);
    if (ec == http::make_error_code(http::error::body_limit)) return too_large();
    respond(problem(400, "the body could not be read, or is shorter than announced"), true);
  }

  void too_large() { respond(problem(413, "the body is larger than " + std::to_string(shared_.max_body) + " bytes"), true); }

  void handle() {
    if (!prompt_ && shared_.working >= shared_.max_working)
      return respond(problem(503, "too many requests wait for their answers", {{"Retry-After", "1"}}), true);
    work();
    shared_.working += prompt_ ? 0 : 1;
    const bool reads = request_.method == "GET" || request_.method == "HEAD";
    asio::post(prompt_ ? shared_.prompt
               : reads ? shared_.handlers
                       : shared_.writers,
               [self = this->shared_from_this()] {
                 auto response = std::make_shared<Response>(answer(*self->handler_, self->request_));
                 asio::post(self->shared_.io, [self, response] {
                   self->shared_.working -= self->prompt_ ? 0 : 1;
                   if (!self->closed_) self->respond(std::move(*response), false);
                 });
               });
  }

  // It never became a request.
  void refuse(int status, std::string_view why) {
    shared_.begin();
    begun_ = true;
    pattern_ = kInvalidRequest;
    respond(problem(status, why), true);
  }

  void respond(Response response, bool close_after) {
    release_body();
    request_.body = {};
    const auto& asked = parser_->get();
    const bool keep = !close_after && asked.keep_alive() && open_;
    answer_ = {};
    answer_.version(11);
    answer_.result(static_cast<unsigned>(response.status));
    answer_.reason(status_text(response.status));
    const auto add = [this](const std::string& name, const std::string& value) {
      answer_.insert({name.data(), name.size()}, {value.data(), value.size()});
    };
    add("Content-Type", response.content_type);
    add("Content-Length", std::to_string(response.body.size()));
    add("Cache-Control", "no-store");
    add("X-Content-Type-Options", "nosniff");
    for (const auto& [name, value] : response.headers) add(name, value);
    if (state_ != nullptr) {
      for (const auto& [name, value] : state_->config.headers) add(name, value);
    }
    if (!keep) add("Connection", "close");
    if (asked.method() != http::verb::head) answer_.body() = std::move(response.body);
    wait(shared_.request_timeout);
    http::async_write(stream_, answer_, bind([keep, status = response.status](auto& self, Code ec) {
                        self.answer_ = {};
                        self.end(status);
                        if (ec && self.timed_out_) self.shared_.cut_off();
                        if (ec) return self.close();
                        keep ? self.read_header() : self.finish();
                      }));
  }

  void end(int status) {
    begun_ = false;
    shared_.end(pattern_, status);
  }

  void release_body() {
    shared_.bodies -= body_;
    body_ = 0;
  }

  // Says good-bye and gives the client time to read the last answer: closing a socket that holds
  // unread bytes would make the kernel throw the answer away.
  void finish() {
    wait(kLinger);
    if constexpr (kTls) {
      stream_.async_shutdown(bind([](auto& self, Code) { self.linger(); }));
    } else {
      linger();
    }
  }

  void linger() {
    Code ec;
    socket().shutdown(tcp::socket::shutdown_send, ec);
    if (ec || timed_out_) return close();
    discard();
  }

  void discard() {
    socket().async_read_some(asio::buffer(shared_.scrap), [self = this->shared_from_this()](Code ec, std::size_t n) {
      if (self->closed_) return;
      self->discarded_ += n;
      if (ec || self->timed_out_ || self->discarded_ > kMaxLinger) return self->close();
      self->discard();
    });
  }

  HttpShared& shared_;
  const std::uint64_t number_;
  const std::uint64_t client_;
  WebAccess* const web_;
  std::shared_ptr<const WebAccess::State> state_;  // of the newest request
  const TlsContext tls_;                           // under which it was accepted; nullptr: plain HTTP
  Stream stream_;
  asio::steady_timer timer_;
  boost::beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> answer_;
  Request request_;
  std::string query_, pattern_;
  const Router::Handler* handler_ = nullptr;
  std::size_t body_ = 0;  // bytes of shared_.bodies that are this one's
  std::size_t discarded_ = 0;
  bool open_ = true, begun_ = false, prompt_ = false, timed_out_ = false, closed_ = false;
};

}  // namespace

std::shared_ptr<HttpConnection> make_http_connection(HttpShared& shared, std::uint64_t number, int descriptor, const sockaddr_storage& from,
                                                     WebAccess* web) {
  tcp::socket socket(shared.io);
  socket.assign(from.ss_family == AF_INET6 ? tcp::v6() : tcp::v4(), descriptor);
  const std::uint64_t client = rate_client(from);
  auto state = web == nullptr ? nullptr : web->current();
  if (state != nullptr && state->tls != nullptr) {
    asio::ssl::context& tls = *state->tls;
    return std::make_shared<Connection<TlsStream>>(shared, number, client, web, std::move(state), std::move(socket), tls);
  }
  return std::make_shared<Connection<tcp::socket>>(shared, number, client, web, std::move(state), std::move(socket));
}

}  // namespace driftd::exporters
