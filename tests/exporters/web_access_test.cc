// A server that is guarded by a web configuration, which changes while it runs. TLS is tested with
// real clients in tests/e2e/test_web_config.py.
#include "exporters/web_access.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "exporters/http_server.h"
#include "tests/exporters/http_client.h"
#include "tests/exporters/temp_folder.h"

namespace driftd::exporters {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

// bcrypt of "right", cost 4.
constexpr const char* kRight = "$2b$04$KBCwKxOzLha2MUSSLhbwU.uRdTnPdShhIpmh2zKk2uVxhuHOskI2G";

class WebAccessTest : public ::testing::Test {
 protected:
  // Takes what `next_` says as the file's content.
  Result<std::shared_ptr<WebAccess>> make() {
    path_ = folder_.write("web.yml", "1");
    return WebAccess::make(
        path_, [this] { return next_; }, &telemetry_);
  }
  void change(const Result<WebConfig>& config) {
    next_ = config;
    folder_.write("web.yml", std::to_string(++changes_));
    access_->refresh();
  }
  double good() { return telemetry_.series(Metric::kWebConfigOk).value(); }

  TempFolder folder_;
  Telemetry telemetry_;
  std::string path_;
  Result<WebConfig> next_ = WebConfig{};
  std::shared_ptr<WebAccess> access_;
  int changes_ = 1;
};

TEST_F(WebAccessTest, ABrokenFileLeavesTheOldOneInForce) {
  WebConfig users;
  users.users["prom"] = kRight;
  next_ = users;
  auto made = make();
  ASSERT_TRUE(made.ok()) << made.error().message;
  access_ = *made;
  EXPECT_EQ(good(), 1);
  const auto first = access_->current();
  access_->refresh();
  EXPECT_EQ(access_->current(), first);  // nothing changed

  change(Error{ErrorCode::kInvalidArgument, "broken"});
  EXPECT_EQ(access_->current(), first);
  EXPECT_EQ(good(), 0);
  WebConfig tls = users;
  tls.tls = WebConfig::Tls{};
  tls.tls->cert_file = folder_.file("absent.pem");
  tls.tls->key_file = folder_.file("absent.key");
  change(tls);
  EXPECT_EQ(access_->current(), first);
  EXPECT_EQ(good(), 0);

  change(WebConfig{});
  EXPECT_NE(access_->current(), first);
  EXPECT_EQ(access_->current()->auth, nullptr);
  EXPECT_EQ(good(), 1);
}

TEST_F(WebAccessTest, StartsOnlyWithWhatCanBeUsed) {
  next_ = Error{ErrorCode::kInvalidArgument, "broken"};
  EXPECT_EQ(make().error().message, "broken");
  WebConfig tls;
  tls.tls = WebConfig::Tls{};
  tls.tls->cert_file = folder_.file("absent.pem");
  tls.tls->key_file = folder_.file("absent.key");
  next_ = tls;
  EXPECT_THAT(make().error().message, HasSubstr("cert_file " + folder_.file("absent.pem")));
}

TEST_F(WebAccessTest, EveryPathWantsThePassword) {
  WebConfig config;
  config.users["prom"] = kRight;
  config.headers = {{"X-Frame-Options", "deny"}};
  next_ = config;
  access_ = *make();
  Router router;
  int called = 0;
  router.add({"GET", "POST"}, "/", [&](const Request&) {
    ++called;
    return Response{200, "text/plain", "in"};
  });
  HttpServer::Options options;
  options.listen = "127.0.0.1:0";
  options.web = access_;
  const auto server = HttpServer::start(options, router, &telemetry_);
  ASSERT_TRUE(server.ok());
  const std::uint16_t port = server.value()->port();
  const auto get = [&](const std::string& path, const std::string& headers) {
    return http_exchange(port, "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + headers + "\r\n");
  };
  const std::string right = "Authorization: Basic cHJvbTpyaWdodA==\r\n";  // prom:right
  const std::string wrong = "Authorization: Basic cHJvbTp3cm9uZw==\r\n";  // prom:wrong
  for (const char* path : {"/", "/nothing", "/metrics"}) {
    for (const std::string& headers : {std::string(), wrong, std::string("Authorization: x\r\n")}) {
      const std::string answer = get(path, headers);
      EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 Unauthorized\r\n")) << path;
      EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Basic realm=\"driftd\"")) << path;
    }
  }
  EXPECT_EQ(called, 0);
  // A body is not read before the password is right.
  EXPECT_THAT(http_exchange(port, "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 100000\r\n\r\n"), StartsWith("HTTP/1.1 401"));
  EXPECT_THAT(get("/", right), HasSubstr("\r\nX-Frame-Options: deny\r\n"));
  EXPECT_THAT(get("/nothing", right), StartsWith("HTTP/1.1 404"));
  EXPECT_EQ(called, 1);

  // A removed user is out at the next request of a connection that is open.
  RawClient client(port);
  client.send("GET / HTTP/1.1\r\nHost: h\r\n" + right + "\r\n");
  EXPECT_THAT(client.answer(), StartsWith("HTTP/1.1 200"));
  config.users = {{"someone", kRight}};
  next_ = config;
  folder_.write("web.yml", "changed");
  std::string answer;
  for (int i = 0; i < 600; ++i) {  // the server looks every second
    client.send("GET / HTTP/1.1\r\nHost: h\r\n" + right + "\r\n");
    answer = client.answer();
    if (answer.find("401") != std::string::npos) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));
}

TEST_F(WebAccessTest, PasswordChecksThatWaitAreBounded) {
  WebConfig config;  // of cost 12: a quarter of a second each
  config.users["prom"] = "$2b$12" + std::string(kRight).substr(6);
  next_ = config;
  access_ = *make();
  HttpServer::Options options;
  options.listen = "127.0.0.1:0";
  options.web = access_;
  options.drain_timeout = kSecond / 10;
  const auto server = HttpServer::start(options, {}, nullptr);
  ASSERT_TRUE(server.ok());
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 40; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.value()->port()));
    clients.back()->send("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: Basic cHJvbTp3cm9uZw==\r\n\r\n");
  }
  EXPECT_THAT(clients.back()->answer(), StartsWith("HTTP/1.1 429"));
  EXPECT_THAT(clients.front()->answer(), StartsWith("HTTP/1.1 401"));
}

}  // namespace
}  // namespace driftd::exporters
