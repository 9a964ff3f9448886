// One connection of the HTTP server: its requests one after the other, each with deadlines for
// headers, password check, body and answer. Behind http_server.h; nothing else uses it.
//
// Everything here runs on the server's I/O thread, which never blocks; handlers and password checks
// run on pools and hand their result back. So a slow client costs memory (the connection, what it
// has sent), never a thread.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/time.h"
#include "exporters/http.h"
#include "exporters/request_rate.h"
#include "exporters/web_access.h"

namespace boost::asio {
class io_context;
class thread_pool;
}  // namespace boost::asio

namespace driftd::exporters {

// What the connections of a server share.
struct HttpShared {
  boost::asio::io_context& io;
  boost::asio::thread_pool& prompt;    // of what waits for nothing
  boost::asio::thread_pool& handlers;  // of what waits for a lock at most
  boost::asio::thread_pool& writers;   // of what may wait for the disk
  boost::asio::thread_pool& passwords;
  std::vector<char>& scrap;  // for what is thrown away, of all connections
  Router router;
  std::size_t max_body = 0;    // bytes of one
  std::size_t max_bodies = 0;  // bytes that all bodies on their way may announce together
  Duration request_timeout = 0;
  RequestRate rate;  // of the I/O thread

  std::function<bool()> begin;                       // false: the server is stopping
  std::function<void(const std::string&, int)> end;  // pattern and status; 0: not answered
  std::function<void(std::uint64_t)> gone;           // the connection of that number is closed
  std::function<void()> tls_failed;
  std::function<void()> cut_off;  // an answer was not read in time

  // Of the I/O thread.
  std::size_t bodies = 0;                    // bytes announced now
  std::size_t checks = 0;                    // password checks that wait or run
  std::size_t working = 0, max_working = 0;  // requests that handlers and writers have, and how many they may
};

class HttpConnection {
 public:
  virtual ~HttpConnection() = default;
  virtual void start() = 0;
  virtual void close() = 0;  // at once, without an answer
  // Since when it waits for its client (monotonic); nothing while driftd works for it. Those that
  // wait longest give way when there are too many.
  std::optional<Duration> waiting_since() const { return waiting_since_; }

 protected:
  std::optional<Duration> waiting_since_;
};

// Takes the socket over (a descriptor that does not block), of the client at `from`. `web` may be null:
// plain HTTP for all.
std::shared_ptr<HttpConnection> make_http_connection(HttpShared& shared, std::uint64_t number, int socket, const sockaddr_storage& from,
                                                     WebAccess* web);

}  // namespace driftd::exporters
