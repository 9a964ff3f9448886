#include "alerts/alert_config.h"

#include <gtest/gtest.h>

namespace driftd::alerts {
namespace {

Node T(const char* text) { return Node::text(text); }
Node L(std::vector<const char*> texts) {
  std::vector<Node> items;
  for (const char* t : texts) items.push_back(T(t));
  return Node::list(std::move(items));
}

Node section() {
  return Node::map(
      {{"for", T("3")},
       {"group_by", L({"stream", "check"})},
       {"routes", Node::list({Node::map({{"match", Node::map({{"severity", T("critical")}})}, {"to", L({"am", "hook"})}}),
                              Node::map({{"match", Node::map({{"kind", L({"drift", "concept_drift"})}})}, {"to", T("train")}})})},
       {"notifiers", Node::map({{"am", Node::map({{"type", T("alertmanager")}, {"urls", L({"http://h:9093"})}})},
                                {"hook", Node::map({{"type", T("webhook")}, {"url", T("http://h/x")}})},
                                {"train", Node::map({{"type", T("retrain")}, {"url", T("http://h/t")}})}})}});
}

TEST(AlertConfig, ReadsASection) {
  ErrorList errors;
  const AlertsConfig c = read_alerts(section(), errors);
  ASSERT_TRUE(errors.empty()) << errors.errors()[0].message;
  EXPECT_EQ(c.rules.for_windows, 3U);
  EXPECT_TRUE(c.rules.by_check);
  EXPECT_FALSE(c.rules.by_field);
  EXPECT_EQ(c.rules.max_alerts, 10000U);
  ASSERT_EQ(c.routes.size(), 2U);
  EXPECT_EQ(c.routes[0].severities, (std::vector<Severity>{Severity::kCritical}));
  EXPECT_EQ(c.routes[0].to, (std::vector<std::string>{"am", "hook"}));
  EXPECT_EQ(c.routes[1].kinds, (std::vector<FindingKind>{FindingKind::kDrift, FindingKind::kConceptDrift}));
  ASSERT_EQ(c.notifiers.size(), 3U);
  ManualClock clock;
  NotifierContext context;
  context.clock = &clock;
  const auto receivers = make_receivers(c, context);
  ASSERT_TRUE(receivers.ok());
  ASSERT_EQ(receivers->size(), 3U);
  EXPECT_EQ(takes(*(*receivers)[0].notifier), Takes::kState);
  EXPECT_EQ(takes(*(*receivers)[1].notifier), Takes::kMessages);
  EXPECT_EQ(takes(*(*receivers)[2].notifier), Takes::kRetraining);
}

TEST(AlertConfig, NothingGivesDefaults) {
  ErrorList errors;
  const AlertsConfig c = read_alerts(Node(), errors);
  EXPECT_TRUE(errors.empty());
  EXPECT_EQ(c.rules.for_windows, 2U);
  EXPECT_EQ(c.group_by, (std::vector<std::string>{"stream", "segment"}));
  EXPECT_TRUE(c.routes.empty());
  EXPECT_TRUE(c.notifiers.empty());
}

// Sets the entry at a path of keys and list indices.
Node with(Node root, const std::vector<std::string>& path, Node value) {
  Node* at = &root;
  for (const std::string& key : path) {
    if (at->is_list()) {
      at = &at->items[std::stoul(key)];
      continue;
    }
    Node* next = nullptr;
    for (auto& [name, entry] : at->entries) next = name == key ? &entry : next;
    if (next == nullptr) next = &at->entries.emplace_back(key, Node()).second;
    at = next;
  }
  value.line = 7;
  *at = std::move(value);
  return root;
}

TEST(AlertConfig, SaysWhatIsWrongAndWhatWasMeant) {
  struct {
    std::vector<std::string> path;
    Node value;
    const char* message;
    const char* suggestion;
  } const cases[] = {
      {{"fors"}, T("2"), "unknown key 'fors'", "did you mean 'for'?"},
      {{"for"}, T("0"), "below the least", ""},
      {{"group_by"}, T("sensor"), "is none of", ""},
      {{"routes"}, T("x"), "routes must be a list", ""},
      {{"routes", "0", "to"}, T("hok"), "no notifier 'hok'", "did you mean 'hook'?"},
      {{"routes", "0", "match", "kind"}, T("drifts"), "is none of", ""},
      {{"routes", "0", "match", "sevrity"}, T("info"), "unknown key 'sevrity'", "'severity'"},
      {{"notifiers"}, T("x"), "must be a map", ""},
      {{"notifiers", "am"}, T("x"), "must be a map with a type", ""},
      {{"notifiers", "am", "type"}, T("alertmanger"), "unknown type", "'alertmanager'"},
      {{"notifiers", "hook", "url"}, T("nowhere"), "must be an absolute", ""},
      {{"notifiers", "hook", "urll"}, T("x"), "unknown key 'urll'", "'url'"},
  };
  for (const auto& c : cases) {
    ErrorList errors;
    read_alerts(with(section(), c.path, c.value), errors);
    bool found = false;
    std::string all;
    for (const ConfigError& e : errors.errors()) {
      all += e.message + " (" + e.suggestion + ")\n";
      found = found || (e.message.find(c.message) != std::string::npos && e.suggestion.find(c.suggestion) != std::string::npos);
    }
    EXPECT_TRUE(found) << c.message << " is not in:\n" << all;
  }
}

TEST(AlertConfig, CollectsAllErrorsWithTheirPlace) {
  Node root = with(section(), {"for"}, T("x"));
  root = with(root, {"notifiers", "am", "type"}, T("x"));
  root = with(root, {"routes", "1", "to"}, T("nobody"));
  ErrorList errors;
  read_alerts(root, errors);
  ASSERT_EQ(errors.errors().size(), 3U);
  for (const ConfigError& e : errors.errors()) EXPECT_EQ(e.line, 7) << e.message;
}

TEST(AlertConfig, MissingKeysOfNotifiersAndRoutes) {
  ErrorList errors;
  Node webhook = Node::map({{"type", T("webhook")}}), alertmanager = Node::map({{"type", T("alertmanager")}});
  webhook.line = 2;  // what is said of one place is said once
  alertmanager.line = 3;
  read_alerts(Node::map({{"routes", Node::list({Node::map({})})},
                         {"notifiers", Node::map({{"a", Node::map({})}, {"b", webhook}, {"c", alertmanager}})}}),
              errors);
  ASSERT_EQ(errors.errors().size(), 4U);
}

}  // namespace
}  // namespace driftd::alerts
