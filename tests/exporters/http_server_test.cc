#include "exporters/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <stdexcept>
#include <thread>

#include "core/clock.h"
#include "tests/exporters/http_client.h"

namespace driftd::exporters {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ::testing::Test {
 protected:
  void start(HttpServer::Options options = {}) {
    Router router;
    router.add({"GET"}, "/hello/{name}", [](const Request& r) {
      const std::string* q = r.query_value("q");
      return Response{200, "text/plain", "hello " + r.param("name") + (q ? " " + *q : ""), {{"X-Extra", "1"}}};
    });
    router.add({"POST", "PUT"}, "/echo", [this](const Request& r) {
      ++echoes_;
      return Response{200, "text/plain", r.method + ":" + r.body};
    });
    router.add({"GET"}, "/throws", [](const Request&) -> Response { throw std::runtime_error("x"); });
    router.add({"GET"}, "/slow", [this](const Request&) {
      entered_.set_value();
      EXPECT_EQ(release_.get_future().wait_for(std::chrono::seconds(60)), std::future_status::ready);
      return Response{200, "text/plain", std::string(100000, 's')};
    });
    router.add(
        {"GET"}, "/prompt",
        [](const Request&) {
          return Response{200, "text/plain", "ok"};
        },
        true);
    options.listen = "127.0.0.1:0";
    auto server = HttpServer::start(options, std::move(router), &telemetry_);
    ASSERT_TRUE(server.ok()) << server.error().message;
    server_ = std::move(server).value();
    ASSERT_NE(server_->port(), 0);
  }
  std::uint16_t port() const { return server_->port(); }

  Telemetry telemetry_;
  std::atomic<int> echoes_{0};
  std::promise<void> entered_, release_;  // of /slow
  std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersWithParamsAndQuery) {
  start();
  const std::string answer = http_get(port(), "/hello/a%2Fb%20c?x=1&q=%C3%A4+b");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nContent-Type: text/plain\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Extra: 1\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\nX-Content-Type-Options: nosniff\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nhello a/b c \xC3\xA4 b"));
}

TEST_F(HttpServerTest, KeepsTheConnectionAndHandlesHead) {
  start();
  RawClient client(port());
  client.send("HEAD /hello/x HTTP/1.1\r\nHost: h\r\n\r\n");
  const std::string head = client.answer(true);
  EXPECT_THAT(head, HasSubstr("Content-Length: 7\r\n"));
  EXPECT_THAT(head, ::testing::EndsWith("\r\n\r\n"));
  for (int i = 0; i < 3; ++i) {
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 2\r\n\r\nab");
    EXPECT_THAT(client.answer(), HasSubstr("\r\n\r\nPOST:ab"));
  }
  client.send("GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 404"));
  client.send("GET /hello/y HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_THAT(client.answer(), HasSubstr("hello y"));
  EXPECT_TRUE(client.closed());
}

TEST_F(HttpServerTest, ErrorsAreProblemDocuments) {
  HttpServer::Options options;
  options.max_body = 10;
  start(options);
  struct Case {
    std::string request;
    int status;
    std::string also;
  };
  const std::string host = " HTTP/1.1\r\nHost: h\r\n";
  const std::vector<Case> cases = {
      {"GET /nothing" + host + "\r\n", 404, ""},
      {"GET /hello/" + host + "\r\n", 404, ""},
      {"GET /echo" + host + "\r\n", 405, "Allow: POST, PUT\r\n"},
      {"DELETE /hello/x" + host + "\r\n", 405, "Allow: GET, HEAD\r\n"},
      {"GET /hello/%zz" + host + "\r\n", 400, ""},
      {"GET /hello/a%00b" + host + "\r\n", 400, ""},
      {"GET /hello/a?x=%4" + host + "\r\n", 400, ""},
      {"POST /echo" + host + "Content-Length: 11\r\n\r\n12345678901", 413, ""},
      {"POST /echo" + host + "Content-Length: 100000000000\r\n\r\n", 413, ""},
      {"POST /echo" + host + "Transfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n", 413, ""},
      {"GET /hello/" + std::string(9000, 'a') + host + "\r\n", 414, ""},
      {"GET /hello/a" + host + "X-Big: " + std::string(20000, 'a') + "\r\n\r\n", 400, "16384"},
      {"GET /throws" + host + "\r\n", 500, ""},
      {"GARBAGE\r\n\r\n", 400, ""},
      // Where such a body ends is not known; what is behind its header is no request.
      {"POST /echo" + host + "Transfer-Encoding: gzip\r\n\r\nPOST /echo" + host + "Content-Length: 0\r\n\r\n", 501, "Connection: close"},
      {"POST /echo" + host + "Transfer-Encoding: gzip, chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", 501, "Connection: close"},
      {"POST /echo" + host + "Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nab", 501, "Connection: close"},
  };
  for (const Case& c : cases) {
    const std::string answer = http_exchange(port(), c.request);
    const std::string shown = c.request.substr(0, 60);
    EXPECT_THAT(answer, HasSubstr(" " + std::to_string(c.status) + " ")) << shown;
    EXPECT_THAT(answer, HasSubstr("Content-Type: application/problem+json\r\n")) << shown;
    EXPECT_THAT(answer, HasSubstr("\"status\":" + std::to_string(c.status))) << shown;
    EXPECT_THAT(answer, HasSubstr(c.also)) << shown;
  }
  EXPECT_EQ(echoes_, 0);
  EXPECT_THAT(http_exchange(port(), "POST /echo" + host + "Content-Length: 10\r\n\r\n1234567890"), HasSubstr("POST:1234567890"));
}

TEST_F(HttpServerTest, ReadsChunkedBodiesAndExpectations) {
  start();
  EXPECT_THAT(http_exchange(port(),
                            "PUT /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                            "3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"),
              HasSubstr("PUT:abcde"));
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_EQ(client.answer(), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("ok");
  EXPECT_THAT(client.answer(), HasSubstr("POST:ok"));
}

TEST_F(HttpServerTest, BodiesThatNobodyReadsCloseTheConnection) {
  start();
  for (const char* how : {"Content-Length: 5", "Transfer-Encoding: chunked"}) {
    RawClient client(port());
    client.send(std::string("POST /nothing HTTP/1.1\r\nHost: h\r\n") + how + "\r\n\r\n");
    EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 404")) << how;
    EXPECT_TRUE(client.closed()) << how;
  }
}

TEST_F(HttpServerTest, AWholeMegabyteArrives) {
  start();
  const std::string body(1U << 20, 'm');
  EXPECT_THAT(http_exchange(port(), "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body),
              ::testing::EndsWith("POST:" + body));
}

TEST_F(HttpServerTest, SlowBodiesEnd) {
  HttpServer::Options options;
  options.request_timeout = kSecond;
  start(options);
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
  const Duration from = monotonic_now();
  bool answered = false;
  for (int i = 0; i < 400 && !answered; ++i) {
    client.send(std::string(1000, 'x'));
    answered = client.readable(50);
  }
  EXPECT_LT(monotonic_now() - from, 10 * kSecond);
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 408"));
  EXPECT_EQ(echoes_, 0);

  RawClient silent(port());
  silent.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\nabc");
  EXPECT_THAT(silent.answer(), StartsWith("HTTP/1.1 408"));
}

// What is read when the time is over may have arrived already, and be followed by more.
TEST_F(HttpServerTest, BodiesThatNeverPauseEndInTimeToo) {
  HttpServer::Options options;
  options.request_timeout = 300 * kMillisecond;
  start(options);
  for (int i = 0; i < 20; ++i) {
    RawClient client(port());
    client.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000\r\n\r\n");
    const Deadline deadline = Deadline::after(10 * kSecond);
    bool answered = false;
    while (!answered && !deadline.passed()) {
      client.send("x");
      answered = client.readable(0);
    }
    ASSERT_TRUE(answered) << "client " << i;
    EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 408"));
  }
}

// Sent faster than it can be read, so that no read of the server ever waits.
TEST_F(HttpServerTest, AFloodEndsInTimeToo) {
  HttpServer::Options options;
  options.request_timeout = 300 * kMillisecond;
  start(options);
  std::string chunks;
  for (int i = 0; i < 10'000; ++i) chunks += "1\r\nx\r\n";
  RawClient client(port());
  client.send("POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n");
  const Duration from = monotonic_now();
  while (!client.readable(0) && monotonic_now() - from < 20 * kSecond) client.send(chunks);
  EXPECT_LT(monotonic_now() - from, 9 * kSecond);
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServerTest, DribbledHeadersEnd) {
  HttpServer::Options options;
  options.request_timeout = kSecond;
  start(options);
  RawClient slow(port());
  slow.send("GET /hello/x HTTP/1.1\r\n");
  RawClient silent(port());
  const Duration from = monotonic_now();
  // A byte now and then: the deadline is for all. One that began anew with each would never be over.
  while (!slow.readable(20) && monotonic_now() - from < 10 * kSecond) slow.send("X");
  EXPECT_LT(monotonic_now() - from, 10 * kSecond);
  EXPECT_THAT(slow.answer(), StartsWith("HTTP/1.1 408"));
  EXPECT_TRUE(silent.closed());  // nothing was asked, so there is nothing to answer
}

TEST_F(HttpServerTest, ADribbledBodyEndsOnTime) {
  HttpServer::Options options;
  options.request_timeout = kSecond;
  start(options);
  RawClient slow(port());
  slow.send("POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 4000\r\n\r\n");
  const Duration from = monotonic_now();
  while (!slow.readable(20) && monotonic_now() - from < 10 * kSecond) slow.send("x");
  EXPECT_LT(monotonic_now() - from, 10 * kSecond);
  EXPECT_THAT(slow.answer(), StartsWith("HTTP/1.1 408"));
}

TEST_F(HttpServerTest, TheConnectionThatWaitsLongestGivesWay) {
  HttpServer::Options options;
  options.threads = 1;
  options.max_connections = 3;
  start(options);
  RawClient slow(port());  // is being answered: stays
  slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  entered_.get_future().wait();
  std::vector<std::unique_ptr<RawClient>> idle;
  for (int i = 0; i < 4; ++i) {
    idle.push_back(std::make_unique<RawClient>(port()));
    idle.back()->send("GET /hello/");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_TRUE(idle[0]->closed());
  EXPECT_TRUE(idle[1]->closed());
  EXPECT_FALSE(idle[2]->readable(50));
  idle[3]->send("z HTTP/1.1\r\nHost: h\r\n\r\n");
  release_.set_value();
  EXPECT_THAT(idle[3]->answer(), HasSubstr("hello z"));
  EXPECT_THAT(slow.answer(), StartsWith("HTTP/1.1 200"));
  EXPECT_EQ(telemetry_.series(Metric::kHttpConnections, {"evicted"}).value(), 2);
}

TEST_F(HttpServerTest, AllBodiesTogetherAreBounded) {
  HttpServer::Options options;
  options.max_body = 100;
  options.max_bodies = 150;
  start(options);
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: ";
  RawClient first(port());
  first.send(head + "100\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_THAT(first.answer(), StartsWith("HTTP/1.1 100"));  // it has its room
  const std::string refused = http_exchange(port(), head + "51\r\n\r\n" + std::string(51, 'a'));
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 429"));
  EXPECT_THAT(refused, HasSubstr("Retry-After: 1\r\n"));
  EXPECT_THAT(http_exchange(port(), head + "50\r\n\r\n" + std::string(50, 'b')), HasSubstr(std::string(50, 'b')));
  first.send(std::string(100, 'c'));
  EXPECT_THAT(first.answer(), HasSubstr(std::string(100, 'c')));
  EXPECT_THAT(http_exchange(port(), head + "100\r\n\r\n" + std::string(100, 'd')), HasSubstr(std::string(100, 'd')));
}

TEST_F(HttpServerTest, RequestsASecondFromOneAddressAreBounded) {
  HttpServer::Options options;
  options.requests_per_second = 3;
  start(options);
  const Duration from = monotonic_now();
  int taken = 3;
  for (int i = 0; i < 3; ++i) EXPECT_THAT(http_get(port(), "/hello/x"), StartsWith("HTTP/1.1 200")) << i;
  const auto until_refused = [&](const auto& ask) {  // meanwhile some come back
    for (std::string answer = ask();; answer = ask(), ++taken) {
      if (answer.find("HTTP/1.1 429") == 0) return answer;
      if (monotonic_now() - from > 20 * kSecond) return "never refused: " + answer;
    }
  };
  for (const char* path : {"/hello/x", "/nowhere"}) {  // every endpoint, over any connection
    const std::string refused = until_refused([&] { return http_get(port(), path); });
    EXPECT_THAT(refused, StartsWith("HTTP/1.1 429"));
    EXPECT_THAT(refused, HasSubstr("Retry-After: 1\r\n"));
  }
  const auto post = [&] { return http_exchange(port(), "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\n12345"); };
  EXPECT_THAT(until_refused(post), StartsWith("HTTP/1.1 429"));
  EXPECT_LE(taken, 3 + 3 * (to_seconds(monotonic_now() - from) + 1));
  std::this_thread::sleep_for(std::chrono::milliseconds(1100));
  EXPECT_THAT(http_get(port(), "/hello/x"), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, StopFinishesRequestsAndIsRepeatable) {
  HttpServer::Options options;
  options.drain_timeout = kMinute;
  start(options);
  RawClient client(port());
  client.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  entered_.get_future().wait();
  std::thread stopper([this] { server_->stop(); });
  release_.set_value();
  const std::string answer = client.answer();
  stopper.join();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200"));
  EXPECT_THAT(answer, ::testing::EndsWith(std::string(100000, 's')));
  server_->stop();
  EXPECT_FALSE(RawClient(port()).connected());
}

TEST_F(HttpServerTest, NewRequestsAreRefusedWhileStopping) {
  HttpServer::Options options;
  options.drain_timeout = kMinute;
  start(options);
  RawClient slow(port());
  slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  entered_.get_future().wait();
  std::thread stopper([this] { server_->stop(); });
  std::string answer;
  for (const Deadline deadline = Deadline::after(20 * kSecond); answer.find("HTTP/1.1 503") != 0 && !deadline.passed();) {
    answer = http_get(port(), "/hello/x");
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 503"));
  release_.set_value();
  stopper.join();
  EXPECT_THAT(slow.answer(), StartsWith("HTTP/1.1 200"));
}

TEST_F(HttpServerTest, WhatIsPromptDoesNotWaitForWhatHangs) {
  HttpServer::Options options;
  options.threads = 1;
  start(options);
  RawClient slow(port()), behind(port());
  slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  entered_.get_future().wait();
  behind.send("GET /hello/x HTTP/1.1\r\nHost: h\r\n\r\n");
  EXPECT_THAT(http_get(port(), "/prompt"), StartsWith("HTTP/1.1 200"));
  EXPECT_FALSE(behind.readable(0)) << "its thread is taken";
  release_.set_value();
  EXPECT_THAT(behind.answer(), HasSubstr("hello x"));
}

TEST_F(HttpServerTest, WhatIsPromptIsAnsweredHoweverManyHang) {
  HttpServer::Options options;
  options.threads = 1;
  options.max_connections = 4;
  start(options);
  RawClient slow(port()), behind(port()), last(port());
  slow.send("GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
  entered_.get_future().wait();
  behind.send("GET /hello/x HTTP/1.1\r\nHost: h\r\n\r\n");
  last.send("GET /hello/x HTTP/1.1\r\nHost: h\r\n\r\n");
  for (int i = 0; i < 3; ++i) EXPECT_THAT(http_get(port(), "/prompt"), StartsWith("HTTP/1.1 200"));  // theirs were read by then
  EXPECT_THAT(http_get(port(), "/hello/x"), AllOf(StartsWith("HTTP/1.1 503"), HasSubstr("Retry-After: 1")));
  EXPECT_THAT(http_get(port(), "/prompt"), StartsWith("HTTP/1.1 200"));
  release_.set_value();
  EXPECT_THAT(last.answer(), HasSubstr("hello x"));
  EXPECT_THAT(http_get(port(), "/hello/x"), HasSubstr("hello x")) << "there is room again";
}

TEST_F(HttpServerTest, CountsByRoutePatternOnly) {
  start();
  http_get(port(), "/hello/a");
  http_get(port(), "/hello/b");
  http_get(port(), "/secret-path");
  http_exchange(port(), "GARBAGE\r\n\r\n");
  server_->stop();
  const auto count = [&](const std::string& handler, const std::string& code) {
    return telemetry_.series(Metric::kHttpRequests, {handler, code}).value();
  };
  EXPECT_EQ(count("/hello/{name}", "200"), 2);
  EXPECT_EQ(count("other", "404"), 1);
  EXPECT_EQ(count("invalid", "400"), 1);
  EXPECT_EQ(telemetry_.series(Metric::kHttpConnections, {"accepted"}).value(), 4);
  EXPECT_EQ(telemetry_.size(), 7U) << "three handlers, and connections by result, from zero on";
}

TEST_F(HttpServerTest, SaysWhyItCannotListen) {
  start();
  HttpServer::Options options;
  options.listen = "127.0.0.1:" + std::to_string(port());
  const auto taken = HttpServer::start(options, {}, nullptr);
  ASSERT_FALSE(taken.ok());
  EXPECT_EQ(taken.error().code, ErrorCode::kUnavailable);
  EXPECT_THAT(taken.error().message, HasSubstr(options.listen));
  EXPECT_THAT(taken.error().message, HasSubstr("in use"));

  options.listen = "nonsense";
  EXPECT_EQ(HttpServer::start(options, {}, nullptr).error().code, ErrorCode::kInvalidArgument);
  options.listen = "127.0.0.1:0";
  options.threads = 0;
  EXPECT_EQ(HttpServer::start(options, {}, nullptr).error().code, ErrorCode::kInvalidArgument);
}

TEST_F(HttpServerTest, ListensOnEveryKindOfAddress) {
  for (const char* listen : {"[::1]:0", "localhost:0", ":0"}) {
    HttpServer::Options options;
    options.listen = listen;
    const auto server = HttpServer::start(options, {}, nullptr);
    if (!server && std::string(listen) == "[::1]:0") {  // the machine has no IPv6
      EXPECT_THAT(server.error().message, HasSubstr("listening on [::1]:0: "));
      continue;
    }
    ASSERT_TRUE(server.ok()) << listen << ": " << server.error().message;
    EXPECT_NE(server.value()->port(), 0) << listen;
  }
}

}  // namespace
}  // namespace driftd::exporters
