#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "alerts/webhook_signature.h"
#include "notifier_harness.h"

namespace driftd::alerts {
namespace {

TEST(WebhookNotifier, SignsTheBodyWithTheTimeOfTheAttempt) {
  HttpServer server;
  ManualClock clock(kDay0 + kHour);
  const std::string secret = write_file("hook_secret", std::string(kTestSecret) + "\n");
  auto hook = make_notifier("webhook", server.url() + "/in?a=1", clock, {{"secret_file", Node::text(secret)}});
  ASSERT_TRUE(hook.ok());
  (*hook)->send(sample_message(), Deadline::after(30 * kSecond));
  clock.advance(kMinute);
  (*hook)->send(sample_message(), Deadline::after(30 * kSecond));
  const auto requests = server.requests();
  ASSERT_EQ(requests.size(), 2U);
  const auto key = decode_secret(kTestSecret);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& r = requests[i];
    const Time at = (kDay0 + kHour) / kSecond + static_cast<Time>(i) * 60;
    EXPECT_EQ(r.path, "/in?a=1");
    EXPECT_EQ(r.headers.at("content-type"), "application/cloudevents+json");
    EXPECT_EQ(r.headers.at("webhook-id"), "00000000000000aa") << "the same for every attempt";
    EXPECT_EQ(r.headers.at("webhook-timestamp"), std::to_string(at));
    EXPECT_EQ(r.headers.at("webhook-signature"), webhook_signature({*key}, "00000000000000aa", at, r.body));
    EXPECT_EQ(r.body, requests[0].body);
    EXPECT_EQ(nlohmann::json::parse(r.body)["id"], "00000000000000aa");
  }
}

TEST(WebhookNotifier, ReadsSecretsAtEachAttempt) {
  HttpServer server;
  ManualClock clock(kDay0);
  const std::string secret = testing::TempDir() + "rotated_secret_" + std::to_string(getpid());
  std::remove(secret.c_str());
  auto hook = make_notifier("webhook", server.url(), clock, {{"secret_file", Node::text(secret)}});
  ASSERT_TRUE(hook.ok());
  const Delivery missing = (*hook)->send(sample_message(), Deadline::after(30 * kSecond));
  EXPECT_EQ(missing.result, Delivery::Result::kRetry);
  EXPECT_NE(missing.detail.find(secret), std::string::npos) << missing.detail;
  EXPECT_TRUE(server.requests().empty()) << "never sent unsigned";
  write_file("rotated_secret", "short");
  const Delivery wrong = (*hook)->send(sample_message(), Deadline::after(30 * kSecond));
  EXPECT_EQ(wrong.result, Delivery::Result::kRetry);
  EXPECT_EQ(wrong.detail.find("short"), std::string::npos) << "no secret in details";
  write_file("rotated_secret", kTestSecret);
  EXPECT_EQ((*hook)->send(sample_message(), Deadline::after(30 * kSecond)).result, Delivery::Result::kDelivered);
}

// A URL with a token in it: read at each attempt, and in no detail, also where an answer repeats it.
TEST(WebhookNotifier, AUrlInAFileIsNeverShown) {
  HttpServer server;
  ManualClock clock(kDay0);
  for (const char* type : {"webhook", "retrain"}) {
    const std::string file = write_file("url", "");
    auto hook = make_notifier(type, "", clock, {{"url_file", Node::text(file)}});
    ASSERT_TRUE(hook.ok()) << hook.error().message;
    const auto send = [&] { return (*hook)->send(sample_message(), Deadline::after(30 * kSecond)); };
    EXPECT_NE(send().detail.find(file), std::string::npos) << "it is empty";
    for (const char* url : {"ftp://h/T0ken", "http://user:T0ken@h/", "http://169.254.169.254/T0ken", "T0ken"}) {
      write_file("url", url);
      const Delivery d = send();
      EXPECT_EQ(d.result, Delivery::Result::kRetry) << url;
      EXPECT_EQ(d.detail.find("T0ken"), std::string::npos) << d.detail;
    }
    write_file("url", server.url() + "/T0ken?key=T0ken\n");
    server.answer(404, "", "Cannot POST /T0ken");
    EXPECT_EQ(send().detail, "HTTP 404");
    server.answer(200, "", "");
    EXPECT_EQ(send().result, Delivery::Result::kDelivered);
    EXPECT_EQ(server.requests().back().path, "/T0ken?key=T0ken");
  }
}

TEST(WebhookNotifier, TakesOneOfUrlAndUrlFile) {
  ErrorList errors;
  const auto* unit = notifiers().find("webhook");
  for (const Entries& entries : {Entries{}, Entries{{"url", Node::text("http://h/")}, {"url_file", Node::text("/f")}}}) {
    const auto made = unit->make(read_params(Node::map(entries), unit->descriptor.params, "webhook", errors), {});
    ASSERT_FALSE(made.ok());
    EXPECT_NE(made.error().message.find("give one of url and url_file"), std::string::npos) << made.error().message;
  }
  EXPECT_TRUE(errors.empty());
}

TEST(WebhookNotifier, WithoutSecretItIsNotSigned) {
  HttpServer server;
  ManualClock clock(kDay0);
  auto hook = make_notifier("webhook", server.url(), clock);
  (*hook)->send(sample_message(), Deadline::after(30 * kSecond));
  EXPECT_EQ(server.requests().at(0).headers.count("webhook-signature"), 0U);
  EXPECT_EQ((*hook)->resend_every(), 0);
  EXPECT_FALSE((*hook)->retrain_cooldown());
}

}  // namespace
}  // namespace driftd::alerts
