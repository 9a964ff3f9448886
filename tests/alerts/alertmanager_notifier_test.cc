#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "notifier_harness.h"

namespace driftd::alerts {
namespace {

constexpr Time kNow = kDay0 + kHour;

nlohmann::json sent(const Message& message, Entries more = {}) {
  HttpServer server;
  ManualClock clock(kNow);
  auto notifier = make_notifier("alertmanager", server.url() + "/prefix/", clock, std::move(more));
  EXPECT_TRUE(notifier.ok());
  EXPECT_EQ((*notifier)->send(message, Deadline::after(30 * kSecond)).result, Delivery::Result::kDelivered);
  const auto request = server.requests().at(0);
  EXPECT_EQ(request.path, "/prefix/api/v2/alerts");
  EXPECT_EQ(request.headers.at("content-type"), "application/json");
  return nlohmann::json::parse(request.body);
}

TEST(AlertmanagerNotifier, ExactPayload) {
  HttpServer server;
  ManualClock clock(kNow);
  auto notifier = make_notifier("alertmanager", server.url(), clock);
  Message m = sample_message();
  m.alerts[0].check = "in_range";
  m.alerts[0].field = "temperature";
  (*notifier)->send(m, Deadline::after(30 * kSecond));
  EXPECT_EQ(server.requests().at(0).body, R"([{"labels":{"alertname":"DriftdQuality","stream":"pumps","segment_by":"site","segment":"a",)"
                                          R"("severity":"critical","kind":"quality","check":"in_range","field":"temperature"},)"
                                          R"("annotations":{"summary":"pumps site=a: in_range of temperature fails, 2 windows",)"
                                          R"("description":"Bad since 2024-10-04T00:00:00Z, last seen 2024-10-04T00:10:00Z. )"
                                          R"(Newest findings: 00000000000000f1, 00000000000000f2."},)"
                                          R"("startsAt":"2024-10-04T00:00:00Z","endsAt":"2024-10-04T01:04:00Z",)"
                                          R"("generatorURL":"https://driftd.example"}])");
}

// Its own clock may be right: what ends by a clock that is behind would be over as it is told.
TEST(AlertmanagerNotifier, WhatFiresDoesNotEndByAClockThatWasSetBack) {
  HttpServer server;
  ManualClock clock(kNow - kDay);
  clock.set_behind({kDay, 31 * kDay});
  auto notifier = make_notifier("alertmanager", server.url(), clock);
  Message m = sample_message();
  (*notifier)->send(m, Deadline::after(30 * kSecond));
  m.alerts[0].state = AlertState::kResolved;
  (*notifier)->send(m, Deadline::after(30 * kSecond));
  const auto time = [&](std::size_t request, const char* which) {
    return parse_time(nlohmann::json::parse(server.requests().at(request).body)[0][which].get<std::string>());
  };
  EXPECT_EQ(time(0, "startsAt"), m.alerts[0].starts_at);
  EXPECT_EQ(time(0, "endsAt"), kNow + 4 * kMinute);
  EXPECT_EQ(time(1, "endsAt"), kNow - kDay) << "what is over is over by either clock";
}

TEST(AlertmanagerNotifier, NamesAndLabels) {
  const std::vector<std::pair<FindingKind, std::string>> names = {{FindingKind::kQuality, "DriftdQuality"},
                                                                  {FindingKind::kFault, "DriftdFault"},
                                                                  {FindingKind::kDrift, "DriftdDrift"},
                                                                  {FindingKind::kConceptDrift, "DriftdConceptDrift"},
                                                                  {FindingKind::kPerformance, "DriftdPerformance"}};
  Message m = sample_message();
  m.alerts.clear();
  for (const auto& [kind, name] : names) {
    m.alerts.push_back(sample_alert());
    m.alerts.back().kind = kind;
    m.alerts.back().segment = {"stream", ""};
  }
  const auto body = sent(m);
  ASSERT_EQ(body.size(), names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    EXPECT_EQ(body[i]["labels"]["alertname"], names[i].second);
    EXPECT_FALSE(body[i]["labels"].contains("segment")) << "no empty labels";
    EXPECT_FALSE(body[i]["labels"].contains("check"));
  }
}

TEST(AlertmanagerNotifier, Times) {
  const auto times = [](const Message& m) {
    const auto a = sent(m, {{"resend", Node::text("30s")}})[0];
    return std::pair<std::string, std::string>(a["startsAt"], a["endsAt"]);
  };
  Message firing = sample_message();
  EXPECT_EQ(times(firing).second, "2024-10-04T01:02:00Z") << "four resends ahead";
  firing.alerts[0].starts_at = kNow + kHour;
  EXPECT_EQ(times(firing).first, "2024-10-04T01:00:00Z") << "never in the future";
  firing.alerts[0].starts_at = kDay0 - 7000 * kDay;
  EXPECT_EQ(times(firing).first, "2005-08-05T00:00:00Z") << "old event time is kept";
  Message over = sample_message("alert.resolved");
  over.created_at = kNow - 2 * kMinute;
  EXPECT_EQ(times(over).second, "2024-10-04T00:58:00Z") << "the same at each resend";
  over.created_at = kNow + kDay;
  EXPECT_EQ(times(over).second, "2024-10-04T01:00:00Z");
  over.created_at = kDay0 - kDay;
  EXPECT_EQ(times(over).second, times(over).first) << "never before its start";
}

// A member's path may be a secret, and what came of an attempt is logged.
TEST(AlertmanagerNotifier, ShowsOfAMembersUrlWhereItIsOnly) {
  HttpServer server;
  ManualClock clock(kNow);
  server.answer(503);
  const auto notifier = make_notifier("alertmanager", server.url() + "/T0ken", clock);
  ASSERT_TRUE(notifier.ok());
  EXPECT_EQ((*notifier)->send(sample_message(), Deadline::after(30 * kSecond)).detail, server.url() + ": HTTP 503");
}

TEST(AlertmanagerNotifier, TellsEveryMemberAndOneIsEnough) {
  HttpServer a, b, c;
  ManualClock clock(kNow);
  const auto* unit = notifiers().find("alertmanager");
  Params params;
  Params::Value urls, resend;
  urls.texts = {a.url(), b.url(), c.url()};
  resend.integer = kMinute;
  params.set("urls", urls);
  params.set("resend", resend);
  NotifierContext context;
  context.clock = &clock;
  const auto notifier = unit->make(params, context);
  ASSERT_TRUE(notifier.ok());
  EXPECT_EQ((*notifier)->resend_every(), kMinute);
  const auto send = [&] { return (*notifier)->send(sample_message(), Deadline::after(15 * kSecond)); };
  a.hang(true);
  b.answer(500);
  const Duration start = monotonic_now();
  EXPECT_EQ(send().result, Delivery::Result::kDelivered);
  EXPECT_LT(monotonic_now() - start, 15 * kSecond);
  EXPECT_EQ(a.requests().size() + b.requests().size() + c.requests().size(), 3U) << "one that hangs leaves time for the others";
  a.hang(false);
  a.answer(400);
  c.answer(503);
  EXPECT_EQ(send().result, Delivery::Result::kRetry);
  b.answer(400);
  c.answer(400);
  EXPECT_EQ(send().result, Delivery::Result::kRejected);
}

}  // namespace
}  // namespace driftd::alerts
