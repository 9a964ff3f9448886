#include "app/config/config.h"

#include <algorithm>

#include "alerts/http_client.h"
#include "app/config/from_reader.h"
#include "app/config/yaml.h"
#include "core/text.h"
#include "core/unit_problems.h"

namespace driftd::app {
namespace {

// The design's `service.limits.memory` is no setting: what memory goes to is bounded one by one.
Node without_memory(Node service, ErrorList& errors) {
  for (auto& [key, limits] : service.entries) {
    if (key != "limits") continue;
    if (const Node* memory = limits.find("memory")) {
      errors.add(
          *memory, "service: limits: there is no limit on memory as a whole",
          "remove it; memory is bounded by limits.sensors, limits.series, windows.size / windows.slide, alerts.max_alerts and gate.buffer, "
          "and the process as a whole by the system: MemoryMax= of systemd");
    }
    std::erase_if(limits.entries, [](const auto& entry) { return entry.first == "memory"; });
  }
  return service;
}

// What is wrong with the web configuration, at the place that names it.
void try_web_config(const ServiceConfig& service, const Params& params, ErrorList& errors) {
  if (errors.about(params.node("allow_public"))) return;
  const auto web = open_web_access(service, nullptr);
  if (web) return;
  const std::string& message = web.error().message;
  const Node& at = params.node(message.starts_with("service: listen") ? "listen" : "web_config");
  for (std::size_t begin = 0; begin < message.size();) {
    const std::size_t end = std::min(message.find('\n', begin), message.size());
    const std::string line = message.substr(begin, end - begin);
    errors.add(at, line.starts_with("service: ") ? line : "service: web_config: " + line);
    begin = end + 1;
  }
}

ServiceConfig read_service(const Node& written, const std::string& folder, ReadFor read_for, ErrorList& errors) {
  const Node node = without_memory(written, errors);
  const Params params = read_params(node, service_params(), "service", errors);
  // Sections that are absent have their defaults too.
  const auto section = [&](const char* name) {
    if (params.has(name)) return params.nested(name);
    const auto& specs = service_params();
    const auto spec = std::find_if(specs.begin(), specs.end(), [&](const ParamSpec& s) { return s.name == name; });
    return read_params(Node(), spec->fields, std::string("service: ") + name, errors);
  };
  if (!node.is_map() && !node.is_null()) return {};  // as was said
  const Params limits = section("limits"), findings = section("findings");
  ServiceConfig service;
  service.listen = params.text("listen");
  service.web_config = params.text("web_config");
  if (!service.web_config.empty() && !service.web_config.starts_with("/") && !folder.empty())
    service.web_config = folder + "/" + service.web_config;
  service.allow_public = params.boolean("allow_public");
  service.data_dir = params.text("data_dir");
  if (!service.data_dir.starts_with("/") && !folder.empty()) service.data_dir = folder + "/" + service.data_dir;
  service.store = params.text("store");
  service.store_lease = params.duration("store_lease");
  service.external_url = params.text("external_url");
  if (!service.external_url.empty() && !alerts::check_url(service.external_url)) {
    errors.add(params.node("external_url"),
               "service: external_url must be an absolute http:// or https:// URL without user or password: it is shown in alerts",
               "as http://driftd.example:9464");
  }
  service.workers = static_cast<unsigned>(params.integer("workers"));
  service.checkpoint_every = params.duration("checkpoint_every");
  service.shutdown_grace = params.duration("shutdown_grace");
  service.log_level = params.text("log_level");
  service.series_cap = static_cast<std::size_t>(limits.integer("series"));
  service.quarantine_cap = limits.size("quarantine");
  service.journal_cap = limits.size("journal");
  service.waiting_cap = limits.size("waiting");
  service.http_requests = static_cast<unsigned>(limits.integer("http_requests"));
  service.sensor_cap = static_cast<std::uint32_t>(limits.integer("sensors"));
  service.sensor_idle = limits.duration("sensor_idle");
  service.findings_log = findings.text("log");
  if (!service.findings_log.starts_with("/")) service.findings_log = service.data_dir + "/" + service.findings_log;
  service.findings_all = findings.boolean("all");
  service.findings_max_size = findings.size("max_size");
  if (read_for == ReadFor::kService) try_web_config(service, params, errors);
  return service;
}

DatabaseConfig read_database(const std::string& name, const Node& node, ReadFor read_for, ErrorList& errors) {
  const Params params = read_params(node, database_params(), "database " + name, errors);
  DatabaseConfig database;
  database.host = params.text("host");
  database.port = static_cast<unsigned>(params.integer("port"));
  database.database = params.text("database");
  database.user = params.text("user");
  database.password_file = params.text("password_file");
  database.tls = params.boolean("tls");
  database.ca_file = params.text("ca_file");
  database.timeout = params.duration("timeout");
  if (!database.tls && !database.ca_file.empty() && !errors.about(params.node("tls")))
    errors.add(params.node("ca_file"), "database " + name + ": ca_file has no effect without tls", "set tls: true");
  if (read_for == ReadFor::kService) {
    UnitProblems problems(params, &errors, "database " + name);
    problems.add_unreadable_secret("password_file");
    problems.add_unfit_authority(params, "ca_file");
  }
  return database;
}

bool good_name(const std::string& name) {
  return !name.empty() && name.size() <= 64 && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
  }) && name.front() != '.';
}

}  // namespace

std::vector<std::pair<std::string, double>> limits_of(const ServiceConfig& service) {
  return {{"series", static_cast<double>(service.series_cap)},          {"quarantine", static_cast<double>(service.quarantine_cap)},
          {"journal", static_cast<double>(service.journal_cap)},        {"waiting", static_cast<double>(service.waiting_cap)},
          {"sensors", static_cast<double>(service.sensor_cap)},         {"sensor_idle", to_seconds(service.sensor_idle)},
          {"http_requests", static_cast<double>(service.http_requests)}};
}

const StreamConfig* Config::stream(std::string_view name) const {
  for (const StreamConfig& s : streams) {
    if (s.name == name) return &s;
  }
  return nullptr;
}

Config read_config(const std::string& yaml, const std::string& folder, ErrorList& errors, ReadFor read_for) {
  Config config;
  const Node root = parse_yaml(yaml, errors);
  if (root.line == 0) return config;
  static const std::vector<ParamSpec> sections = {
      {.name = "service", .type = ParamType::kNode, .sentence = "The process"},
      {.name = "databases", .type = ParamType::kNode, .sentence = "Named database connections"},
      {.name = "references", .type = ParamType::kNode, .sentence = "Where references are kept", .fields = reference_params()},
      {.name = "streams", .type = ParamType::kNode, .sentence = "The streams, by name", .required = true},
      {.name = "alerts", .type = ParamType::kNode, .sentence = "Alerts and who is told"},
  };
  const Params params = read_params(root, sections, "configuration", errors);
  config.service = read_service(params.node("service"), folder, read_for, errors);
  if (params.has("databases") && !params.node("databases").is_map()) {
    errors.add(params.node("databases"), "databases must be a map of names to connections");
  } else if (params.has("databases")) {
    for (const auto& [name, node] : params.node("databases").entries) config.databases[name] = read_database(name, node, read_for, errors);
  }
  if (!config.service.store.empty() && config.databases.count(config.service.store) == 0) {
    errors.add(*params.node("service").find("store"), "service: store: there is no database '" + excerpt(config.service.store, 60) + "'",
               "name one of `databases:`");
  }
  if (params.has("streams")) {
    const Node& streams = params.node("streams");
    if (!streams.is_map() || streams.entries.empty()) errors.add(streams, "streams must name at least one stream");
    for (const auto& [name, node] : streams.entries) {
      if (!good_name(name)) errors.add(node, "stream '" + excerpt(name, 60) + "': a name has letters, digits, _ - . only, at most 64");
      config.streams.push_back(read_stream(name, node, config.service, read_for, errors));
    }
    refuse_rivals(config.streams, streams, errors);
  }
  config.alerts = alerts::read_alerts(params.node("alerts"), errors, read_for == ReadFor::kService);
  return config;
}

std::string format_errors(const std::string& path, const ErrorList& errors) {
  std::vector<ConfigError> sorted = errors.errors();
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const ConfigError& a, const ConfigError& b) { return std::pair(a.line, a.column) < std::pair(b.line, b.column); });
  std::string out;
  for (const ConfigError& e : sorted) {
    out += path + ":" + std::to_string(e.line) + ":" + std::to_string(e.column) + ": " + e.message;
    if (!e.suggestion.empty()) out += " (" + e.suggestion + ")";
    out += '\n';
  }
  return out;
}

Result<Config> load_config(const std::string& path, ReadFor read_for) {
  const auto text = read_file(path);
  if (!text) return text.error();
  const std::size_t slash = path.rfind('/');
  ErrorList errors;
  Config config = read_config(*text, slash == std::string::npos ? "." : path.substr(0, slash), errors, read_for);
  if (!errors.empty()) return Error{ErrorCode::kInvalidArgument, format_errors(path, errors)};
  return config;
}

}  // namespace driftd::app
