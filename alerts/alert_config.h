// The `alerts:` section of the configuration: its tables (for reading, `driftd schema` and the
// docs) and what is read from it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "alerts/alert_book.h"
#include "alerts/notifier.h"
#include "alerts/router.h"
#include "core/node.h"
#include "core/params.h"

namespace driftd::alerts {

struct NotifierConfig {
  std::string name;
  std::string type;  // of the registry
  Params params;
};

struct AlertsConfig {
  AlertRules rules;
  std::vector<std::string> group_by;
  std::vector<Route> routes;
  std::vector<NotifierConfig> notifiers;
  Targets targets;  // of allowed_targets; null: no list
};

// The section itself, one route, and its `match`. An entry of `notifiers` has `type` and the
// parameters of that type's descriptor.
const std::vector<ParamSpec>& alert_params();
const std::vector<ParamSpec>& route_params();
const std::vector<ParamSpec>& match_params();

// Reads the section; a null node gives the defaults. Collects every error, among them those that
// only a notifier's factory can see; with `reads_files` files of secrets and certificates that
// cannot be read too.
AlertsConfig read_alerts(const Node& node, ErrorList& errors, bool reads_files = false);

// A notifier with its name in the configuration.
struct Receiver {
  std::string name;
  std::unique_ptr<Notifier> notifier;
};

// Makes the notifiers; `context.name` is set for each. Fails on the first that cannot be made.
Result<std::vector<Receiver>> make_receivers(const AlertsConfig& config, NotifierContext context);

// The router for these receivers.
Router make_router(const AlertsConfig& config, const std::vector<Receiver>& receivers);

}  // namespace driftd::alerts
