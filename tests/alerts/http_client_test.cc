#include "alerts/http_client.h"

#include <gtest/gtest.h>

#include <chrono>
#include <ctime>
#include <thread>

#include "http_server.h"

namespace driftd::alerts {
namespace {

Result<HttpResponse> post(const HttpServer& server, Duration limit = 30 * kSecond) {
  return http_post({.url = server.url() + "/hook", .headers = {{"X-A", "b"}}, .body = "body", .ca_file = ""}, Deadline::after(limit));
}

TEST(HttpClient, SendsAndReceives) {
  HttpServer server;
  server.answer(200, "", "fine");
  const auto response = post(server);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body, "fine");
  EXPECT_EQ(response->retry_after, 0);
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 1U);
  EXPECT_EQ(requests[0].path, "/hook");
  EXPECT_EQ(requests[0].body, "body");
  EXPECT_EQ(requests[0].headers.at("x-a"), "b");
  EXPECT_EQ(requests[0].headers.at("user-agent"), "driftd");
}

TEST(HttpClient, RedirectsAreNotFollowed) {
  HttpServer server, target;
  server.answer(307, "Location: " + target.url() + "/stolen\r\n");
  const auto response = post(server);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 307);
  EXPECT_TRUE(target.requests().empty());
}

TEST(HttpClient, RetryAfterInSecondsAndAsDate) {
  HttpServer server;
  server.answer(503, "Retry-After: 120\r\n");
  EXPECT_EQ(post(server)->retry_after, 120 * kSecond);
  server.answer(503, "Retry-After: 99999999\r\n");
  EXPECT_EQ(post(server)->retry_after, kDay);
  server.answer(503, "Retry-After: soon\r\n");
  EXPECT_EQ(post(server)->retry_after, 0);
  char date[64];
  const auto in = [&](std::time_t seconds) {
    const std::time_t at = std::time(nullptr) + seconds;
    std::tm utc{};
    std::strftime(date, sizeof date, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&at, &utc));
    return std::string("Retry-After: ") + date + "\r\n";
  };
  server.answer(503, in(300));
  EXPECT_NEAR(to_seconds(post(server)->retry_after), 300, 5);
  server.answer(503, in(-300));
  EXPECT_EQ(post(server)->retry_after, 0);
}

TEST(HttpClient, LongAnswersAreCut) {
  HttpServer server;
  server.answer(200, "", std::string(1 << 20, 'x'));
  const auto response = post(server);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response->status, 200);
  EXPECT_EQ(response->body.size(), 64U * 1024);
}

TEST(HttpClient, NobodyThereAndNobodyAnswering) {
  std::string url;
  {
    HttpServer closed;
    url = closed.url();
  }
  const auto refused = http_post({.url = url, .headers = {}, .body = "", .ca_file = ""}, Deadline::after(30 * kSecond));
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, ErrorCode::kUnavailable);
  HttpServer server;
  server.hang(true);
  const Duration start = monotonic_now();
  EXPECT_FALSE(post(server, 200 * kMillisecond).ok());
  EXPECT_LT(monotonic_now() - start, 10 * kSecond);
}

TEST(HttpClient, EndsSoonAfterTheStopFlag) {
  HttpServer server;
  server.hang(true);
  const auto stop = std::make_shared<std::atomic<bool>>(false);
  const HttpRequest request{.url = server.url(), .headers = {}, .body = "", .ca_file = "", .stop = stop};
  const Duration start = monotonic_now();
  std::thread other([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    *stop = true;
  });
  const auto response = http_post(request, Deadline::after(20 * kSecond));
  other.join();
  ASSERT_FALSE(response.ok());
  EXPECT_EQ(response.error().code, ErrorCode::kUnavailable);
  EXPECT_GE(monotonic_now() - start, 200 * kMillisecond);
  EXPECT_LT(monotonic_now() - start, 10 * kSecond);
  const std::size_t before = server.requests().size();
  EXPECT_FALSE(http_post(request, Deadline::after(20 * kSecond)).ok());
  EXPECT_EQ(server.requests().size(), before) << "with the flag set nothing is sent";
}

TEST(HttpClient, UrlsAreChecked) {
  for (const char* good : {"http://localhost:9093", "https://h.example/a?b=c", "http://[::1]:1/x"}) {
    EXPECT_TRUE(check_url(good).ok()) << good;
  }
  for (const char* bad :
       {"", "localhost:9093", "ftp://h/x", "file:///etc/passwd", "http://", "http://user:pa55@h/x", "http://h/a b", "http://h/\r\nX: y"}) {
    const Status s = check_url(bad);
    ASSERT_FALSE(s.ok()) << bad;
    EXPECT_EQ(s.error().code, ErrorCode::kInvalidArgument);
    EXPECT_EQ(s.error().message.find("pa55"), std::string::npos);
  }
}

}  // namespace
}  // namespace driftd::alerts
