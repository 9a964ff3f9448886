#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "notifier_harness.h"

namespace driftd::alerts {
namespace {

TEST(RetrainNotifier, NamesWhatToTrainOn) {
  HttpServer server;
  ManualClock clock(kDay0);
  const std::string secret = write_file("train_secret", kTestSecret);
  auto train = make_notifier("retrain", server.url(), clock, {{"secret_file", Node::text(secret)}});
  ASSERT_TRUE(train.ok());
  Message m = sample_message("retrain.requested");
  m.finding_lines = {R"({"id":"1","reference":{"name":"pumps","version":2,"hash":"old"}})",
                     R"({"id":"2","reference":{"name":"pumps","version":3,"hash":"new"}})", R"({"id":"3"})"};
  (*train)->send(m, Deadline::after(30 * kSecond));
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.headers.count("webhook-signature"), 1U);
  const auto event = nlohmann::json::parse(request.body);
  EXPECT_EQ(event["type"], "driftd.retrain.requested");
  const auto data = event["data"];
  EXPECT_EQ(data["stream"], "pumps");
  EXPECT_EQ(data["segment"], (nlohmann::json{{"by", "site"}, {"value", "a"}}));
  EXPECT_EQ(data["reference"]["version"], 3) << "of the newest finding that has one";
  EXPECT_EQ(data["alerts"].size(), 1U);
  EXPECT_EQ(data["findings"].size(), 3U);
}

TEST(RetrainNotifier, SendsWithoutAReference) {
  HttpServer server;
  ManualClock clock(kDay0);
  auto train = make_notifier("retrain", server.url(), clock);
  Message m = sample_message("retrain.requested");
  m.finding_lines = {"not json"};
  m.alerts[0].segment = {"stream", ""};
  (*train)->send(m, Deadline::after(30 * kSecond));
  const std::string body = server.requests().at(0).body;
  EXPECT_EQ(body.find("\"reference\""), std::string::npos);
  EXPECT_NE(body.find("\"segment\":{\"by\":\"stream\"}"), std::string::npos);
}

TEST(RetrainNotifier, AReferenceThatNestsWithoutEndIsNone) {
  HttpServer server;
  ManualClock clock(kDay0);
  auto train = make_notifier("retrain", server.url(), clock);
  Message m = sample_message("retrain.requested");
  const std::size_t deep = 200000;
  m.finding_lines = {R"({"reference":{"name":)" + std::string(deep, '[') + std::string(deep, ']') + "}}"};
  (*train)->send(m, Deadline::after(30 * kSecond));
  EXPECT_EQ(server.requests().at(0).body.find("\"reference\""), std::string::npos);
}

TEST(RetrainNotifier, CooldownIsADayUnlessSaid) {
  ManualClock clock;
  EXPECT_EQ((*make_notifier("retrain", "http://h/", clock))->retrain_cooldown(), kDay);
  const auto with = [&](const char* cooldown) {
    return make_notifier("retrain", "http://h/", clock, {{"guard", Node::map({{"cooldown", Node::text(cooldown)}})}});
  };
  EXPECT_EQ((*with("0s"))->retrain_cooldown(), 0);
  EXPECT_EQ((*with("90d"))->retrain_cooldown(), 90 * kDay);
  EXPECT_FALSE(with("91d").ok());
}

}  // namespace
}  // namespace driftd::alerts
