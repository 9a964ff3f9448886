#include "alerts/router.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "samples.h"

namespace driftd::alerts {
namespace {

using Type = AlertEvent::Type;

std::uint8_t bits(std::initializer_list<Severity> severities) {
  unsigned out = 0;
  for (const Severity s : severities) out |= 1U << static_cast<unsigned>(s);
  return static_cast<std::uint8_t>(out);
}

AlertEvent event(Type type, const std::string& site = "a") {
  AlertEvent e;
  e.type = type;
  e.alert = sample_alert(site, type == Type::kResolved ? AlertState::kResolved : AlertState::kFiring);
  e.at = kDay0 + 2 * kWindow;
  e.scope = {bits({Severity::kCritical}), {{"in_range", "temperature"}}};
  if (type != Type::kFiring) e.told = e.scope;
  e.finding_lines = {"{\"id\":\"f\"}"};
  return e;
}

TEST(Router, MatchesAllOfARoute) {
  struct {
    const char* what;
    Route route;
    bool matches;
  } const cases[] = {
      {"everything", {}, true},
      {"severity", {.severities = {Severity::kInfo, Severity::kCritical}}, true},
      {"other severity", {.severities = {Severity::kWarning}}, false},
      {"kind", {.kinds = {FindingKind::kQuality}}, true},
      {"other kind", {.kinds = {FindingKind::kDrift}}, false},
      {"stream", {.streams = {"fans", "pumps"}}, true},
      {"other stream", {.streams = {"fans"}}, false},
      {"segment's field", {.segments = {"site"}}, true},
      {"segment", {.segments = {"site=a"}}, true},
      {"other segment", {.segments = {"site=b", "stream"}}, false},
      {"check", {.checks = {"in_range"}}, true},
      {"other check", {.checks = {"max"}}, false},
      {"field", {.fields = {"temperature"}}, true},
      {"check of another field", {.checks = {"in_range"}, .fields = {"vibration"}}, false},
      {"one of two does not match", {.kinds = {FindingKind::kQuality}, .streams = {"fans"}}, false},
  };
  for (const auto& c : cases) {
    Route route = c.route;
    route.to = {"hook"};
    const Router router({route}, {"stream"}, {{"hook"}, {"other"}});
    const AlertEvent e = event(Type::kFiring);
    EXPECT_EQ(router.matches("hook", e.alert, e.scope), c.matches) << c.what;
    EXPECT_FALSE(router.matches("other", e.alert, e.scope)) << c.what;
    EXPECT_EQ(router.messages({e}).size(), c.matches ? 1U : 0U) << c.what;
  }
}

TEST(Router, NoRoutesTellEverybodyAndSeveralTellOnce) {
  const Router all({}, {"stream"}, {{"a"}, {"b"}});
  EXPECT_EQ(all.messages({event(Type::kFiring)}).size(), 2U);
  const Router twice({{.to = {"a"}}, {.kinds = {FindingKind::kQuality}, .to = {"a", "a"}}}, {"stream"}, {{"a"}, {"b"}});
  const auto messages = twice.messages({event(Type::kFiring)});
  ASSERT_EQ(messages.size(), 1U);
  EXPECT_EQ(messages[0].receiver, "a");
  EXPECT_EQ(messages[0].message.alerts.size(), 1U);
}

TEST(Router, GroupsByTheLabelsAsked) {
  const std::vector<AlertEvent> events = {event(Type::kFiring, "a"), event(Type::kFiring, "b"), event(Type::kResolved, "c")};
  const auto apart = Router({}, {"stream", "segment"}, {{"hook"}}).messages(events);
  ASSERT_EQ(apart.size(), 3U);
  EXPECT_EQ(apart[0].message.group_key, "stream=\"pumps\",segment=\"site=a\"");
  const auto together = Router({}, {"stream"}, {{"hook"}}).messages(events);
  ASSERT_EQ(together.size(), 2U);
  EXPECT_EQ(together[0].message.type, "alert.firing");
  EXPECT_EQ(together[0].message.alerts.size(), 2U);
  EXPECT_EQ(together[0].message.finding_lines.size(), 2U);
  EXPECT_EQ(together[1].message.type, "alert.resolved");
}

TEST(Router, LongGroupsAreSplit) {
  std::vector<AlertEvent> events;
  for (int i = 0; i < 40; ++i) events.push_back(event(Type::kFiring, std::to_string(i)));
  const auto messages = Router({}, {"stream"}, {{"hook"}}).messages(events);
  ASSERT_EQ(messages.size(), 3U);
  std::set<std::string> ids;
  std::size_t alerts = 0;
  for (const Outgoing& m : messages) {
    ids.insert(m.message.id);
    alerts += m.message.alerts.size();
    EXPECT_LE(m.message.finding_lines.size(), 20U);
  }
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_EQ(alerts, 40U);
}

TEST(Router, IdsAreTheSameAgainAndDifferOtherwise) {
  const Router router({}, {"stream"}, {{"hook"}, {"other"}});
  const auto first = router.messages({event(Type::kFiring)});
  const auto again = router.messages({event(Type::kFiring)});
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(first[0].message.id, again[0].message.id);
  EXPECT_NE(first[0].message.id, first[1].message.id) << "each receiver has its own";
  EXPECT_EQ(first[0].message.id.find('.'), std::string::npos);
  AlertEvent later = event(Type::kFiring);
  later.alert.starts_at += kWindow;
  later.at += kWindow;
  EXPECT_NE(router.messages({later})[0].message.id, first[0].message.id);
  EXPECT_NE(router.messages({event(Type::kResolved)})[0].message.id, first[0].message.id);
}

TEST(Router, WhoMatchesSinceAnUpdateIsToldThatItFires) {
  const Router router({{.severities = {Severity::kWarning}, .to = {"mail"}}, {.severities = {Severity::kCritical}, .to = {"pager"}}},
                      {"stream"}, {{"mail"}, {"pager"}});
  AlertEvent e = event(Type::kUpdated);
  e.told.severities = bits({Severity::kWarning});
  e.scope.severities = bits({Severity::kWarning, Severity::kCritical});
  std::map<std::string, std::string> types;
  for (const Outgoing& m : router.messages({e})) types[m.receiver] = m.message.type;
  EXPECT_EQ(types, (std::map<std::string, std::string>{{"mail", "alert.updated"}, {"pager", "alert.firing"}}));
  e.type = Type::kResolved;
  EXPECT_EQ(router.messages({e}).size(), 2U) << "both are told of the end";
}

TEST(Router, ReceiversOfStateGetOnlyEnds) {
  const Router router({}, {"stream", "segment"}, {{"am", Takes::kState}});
  EXPECT_TRUE(router.messages({event(Type::kFiring), event(Type::kUpdated)}).empty());
  const auto ends = router.messages({event(Type::kResolved, "a"), event(Type::kResolved, "b")});
  ASSERT_EQ(ends.size(), 1U) << "Alertmanager groups by itself";
  EXPECT_EQ(ends[0].message.alerts.size(), 2U);
}

TEST(Router, RetrainingIsAskedForDriftThatStarts) {
  const Router router({}, {"stream"}, {{"train", Takes::kRetraining}});
  for (const auto& [kind, asks] : std::map<FindingKind, bool>{{FindingKind::kQuality, false},
                                                              {FindingKind::kFault, false},
                                                              {FindingKind::kDrift, true},
                                                              {FindingKind::kConceptDrift, true},
                                                              {FindingKind::kPerformance, true}}) {
    AlertEvent e = event(Type::kFiring);
    e.alert.kind = kind;
    EXPECT_EQ(router.messages({e}).size(), asks ? 1U : 0U) << to_string(kind);
    e.type = Type::kUpdated;
    e.told = e.scope;
    EXPECT_TRUE(router.messages({e}).empty());
    e.type = Type::kResolved;
    EXPECT_TRUE(router.messages({e}).empty());
  }
  AlertEvent drift = event(Type::kFiring), performance = event(Type::kFiring);
  drift.alert.kind = FindingKind::kDrift;
  performance.alert.kind = FindingKind::kPerformance;
  const auto one = router.messages({drift, performance});
  ASSERT_EQ(one.size(), 1U) << "one request a stream and segment";
  EXPECT_EQ(one[0].message.type, "retrain.requested");
  EXPECT_EQ(one[0].message.group_key, "stream=\"pumps\",segment=\"site=a\"");
}

// After a change of the configuration: who has not heard of what fires is told, once.
TEST(Router, IntroducesWhatFiresToThoseWhoDoNotKnow) {
  const ActiveAlert critical{sample_alert("a"), {0b100, {{"in_range", "temperature"}}}};
  const ActiveAlert warning{sample_alert("b"), {0b010, {{"in_range", "temperature"}}}};
  const auto router = [](std::vector<Route> routes, const std::vector<std::string>& names) {
    std::vector<ReceiverInfo> infos;
    for (const std::string& name : names) infos.push_back({name, Takes::kMessages});
    infos.push_back({"am", Takes::kState});
    infos.push_back({"train", Takes::kRetraining});
    return Router(std::move(routes), {"stream", "segment"}, std::move(infos));
  };
  const auto introduced = [&](const Router& now, const Router& before) {
    std::vector<std::string> out;
    for (const Outgoing& m : now.introduce({critical, warning}, before)) {
      EXPECT_EQ(m.message.type, "alert.firing");
      for (const Alert& a : m.message.alerts) out.push_back(m.receiver + " " + a.segment.value);
    }
    return out;
  };
  using Told = std::vector<std::string>;
  EXPECT_EQ(introduced(router({}, {"hook"}), router({}, {"hook"})), Told{});
  EXPECT_EQ(introduced(router({}, {"hook", "new"}), router({}, {"hook"})), (Told{"new a", "new b"}));
  const Router some = router({{.severities = {Severity::kCritical}, .to = {"hook"}}}, {"hook"});
  EXPECT_EQ(introduced(router({}, {"hook"}), some), (Told{"hook b"})) << "a route that is wider now";
  EXPECT_EQ(introduced(some, router({}, {"hook"})), Told{}) << "one that is narrower";
  const Router again = router({}, {"new"});
  EXPECT_EQ(again.introduce({critical}, some)[0].message.id, again.introduce({critical}, some)[0].message.id);
}

}  // namespace
}  // namespace driftd::alerts
