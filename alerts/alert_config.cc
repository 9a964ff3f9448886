#include "alerts/alert_config.h"

#include <algorithm>

#include "core/text.h"

namespace driftd::alerts {
namespace {

bool has(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

std::string did_you_mean(const std::string& word, const std::vector<std::string>& known) {
  if (const auto near = nearest(word, known)) return "did you mean '" + *near + "'?";
  return known.empty() ? "" : "known: " + join(known);
}

// Where item `i` of a list, or the single text in its place, was written.
const Node& item_at(const Node& list, std::size_t i) { return list.is_list() ? list.items[i] : list; }

Route read_route(const Node& node, const std::vector<std::string>& receivers, ErrorList& errors) {
  const Params params = read_params(node, route_params(), "route", errors);
  Route route;
  const Params& match = params.nested("match");
  for (const std::string& name : match.texts("severity")) {
    if (const auto s = severity(name)) route.severities.push_back(*s);
  }
  for (const std::string& name : match.texts("kind")) {
    if (const auto k = finding_kind(name)) route.kinds.push_back(*k);
  }
  route.streams = match.texts("stream");
  route.segments = match.texts("segment");
  route.checks = match.texts("check");
  route.fields = match.texts("field");
  route.to = params.texts("to");
  for (std::size_t i = 0; i < route.to.size(); ++i) {
    if (has(receivers, route.to[i])) continue;
    errors.add(item_at(params.node("to"), i), "route: there is no notifier '" + excerpt(route.to[i], 60) + "'",
               did_you_mean(route.to[i], receivers));
  }
  return route;
}

void read_notifier(const std::string& name, const Node& node, AlertsConfig& config, bool reads_files, ErrorList& errors) {
  const std::string what = "notifier " + excerpt(name, 60);
  if (!node.is_map()) return errors.add(node, what + " must be a map with a type");
  const Node* type = node.find("type");
  if (type == nullptr || !type->is_scalar()) {
    return errors.add(node, what + ": 'type' is missing", "one of " + join(notifiers().names()));
  }
  const auto* unit = notifiers().find(type->scalar);
  if (unit == nullptr) {
    return errors.add(*type, what + ": unknown type '" + excerpt(type->scalar, 60) + "'", did_you_mean(type->scalar, notifiers().names()));
  }
  Params params = read_params(node, unit->descriptor.params, what, errors, {"type"});
  ErrorList problems;
  NotifierContext context;
  context.name = name;
  context.targets = config.targets;
  context.problems = &problems;
  context.reads_files = reads_files;
  const auto made = unit->make(params, context);
  if (!made && problems.empty()) problems.add(node, made.error().message);
  errors.add_unsaid(problems, node, what);
  config.notifiers.push_back({name, type->scalar, std::move(params)});
}

}  // namespace

const std::vector<ParamSpec>& match_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "severity",
       .type = ParamType::kTextList,
       .sentence = "A severity that the alert has had",
       .choices = {"info", "warning", "critical"}},
      {.name = "kind",
       .type = ParamType::kTextList,
       .sentence = "What the alert is about",
       .choices = {"quality", "fault", "drift", "concept_drift", "performance"}},
      {.name = "stream", .type = ParamType::kTextList, .sentence = "Name of the stream"},
      {.name = "segment",
       .type = ParamType::kTextList,
       .sentence = "What is judged: stream, sensor, a field's name, or one value as site=a"},
      {.name = "check", .type = ParamType::kTextList, .sentence = "A check that failed"},
      {.name = "field", .type = ParamType::kTextList, .sentence = "A field whose check failed"},
  };
  return specs;
}

const std::vector<ParamSpec>& route_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "match",
       .type = ParamType::kNode,
       .sentence = "What an alert must be like, all of it; without it every alert matches",
       .fields = match_params()},
      {.name = "to", .type = ParamType::kTextList, .sentence = "Names of the notifiers that are told", .required = true},
  };
  return specs;
}

const std::vector<ParamSpec>& alert_params() {
  static const std::vector<ParamSpec> specs = {
      {.name = "for",
       .type = ParamType::kInteger,
       .sentence = "Bad windows in a row before an alert fires, and good ones before it resolves; a finding on a single record (a "
                   "detector's drift) "
                   "fires at once",
       .default_text = "2",
       .min = 1,
       .max = 10000},
      {.name = "group_by",
       .type = ParamType::kTextList,
       .sentence = "What the alerts of one message have in common; check and field also make an "
                   "alert of their own for each check and field",
       .choices = {"stream", "segment", "kind", "check", "field"}},
      {.name = "max_alerts",
       .type = ParamType::kInteger,
       .sentence = "Alerts kept a stream; what fails beyond them is one alert",
       .default_text = "10000",
       .min = 1,
       .max = 100000},
      {.name = "allowed_targets",
       .type = ParamType::kTextList,
       .sentence = "Hosts, host:port, addresses and networks that notifiers may connect to; "
                   "without it the hosts of their URLs, but no link-local address"},
      {.name = "routes",
       .type = ParamType::kNode,
       .sentence = "Who is told what, a list of match and to; without it every notifier is told all"},
      {.name = "notifiers", .type = ParamType::kNode, .sentence = "Who can be told, by name"},
  };
  return specs;
}

AlertsConfig read_alerts(const Node& node, ErrorList& errors, bool reads_files) {
  const Params params = read_params(node, alert_params(), "alerts", errors);
  AlertsConfig config;
  config.group_by = params.texts("group_by");
  if (config.group_by.empty()) config.group_by = {"stream", "segment"};
  config.rules.for_windows = static_cast<unsigned>(params.integer("for"));
  config.rules.max_alerts = static_cast<std::size_t>(params.integer("max_alerts"));
  config.rules.by_check = has(config.group_by, "check");
  config.rules.by_field = has(config.group_by, "field");

  if (params.has("allowed_targets")) {
    auto targets = TargetPolicy::make(params.texts("allowed_targets"));
    if (targets) {
      config.targets = std::make_shared<const TargetPolicy>(std::move(*targets));
    } else {
      errors.add(params.node("allowed_targets"), "alerts: allowed_targets: " + targets.error().message);
    }
  }
  const Node& notifiers = params.node("notifiers");
  if (!notifiers.is_map() && !notifiers.is_null()) {
    errors.add(notifiers, "alerts: notifiers must be a map of names to notifiers");
  }
  std::vector<std::string> names;  // also of those with errors: a route to them is no error too
  for (const auto& [name, entry] : notifiers.entries) {
    names.push_back(name);
    read_notifier(name, entry, config, reads_files, errors);
  }
  const Node& routes = params.node("routes");
  if (!routes.is_list() && !routes.is_null()) {
    errors.add(routes, "alerts: routes must be a list");
  }
  for (const Node& route : routes.items) {
    config.routes.push_back(read_route(route, names, errors));
  }
  return config;
}

Result<std::vector<Receiver>> make_receivers(const AlertsConfig& config, NotifierContext context) {
  std::vector<Receiver> out;
  for (const NotifierConfig& n : config.notifiers) {
    const auto* unit = notifiers().find(n.type);
    if (unit == nullptr) {
      return Error{ErrorCode::kNotFound, "notifier " + n.name + ": unknown type " + n.type};
    }
    context.name = n.name;
    context.targets = config.targets;
    auto made = unit->make(n.params, context);
    if (!made) return made.error().at("notifier " + n.name);
    out.push_back({n.name, std::move(made).value()});
  }
  return out;
}

Router make_router(const AlertsConfig& config, const std::vector<Receiver>& receivers) {
  std::vector<ReceiverInfo> infos;
  for (const Receiver& r : receivers) infos.push_back({r.name, takes(*r.notifier)});
  return Router(config.routes, config.group_by, std::move(infos));
}

}  // namespace driftd::alerts
