// Config: the whole configuration, read and validated. Reading collects every error.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "alerts/alert_config.h"
#include "app/engine/plan.h"
#include "core/node.h"
#include "core/result.h"
#include "exporters/web_access.h"

namespace driftd::app {

struct ServiceConfig {
  std::string listen;
  std::string web_config;
  bool allow_public = false;
  std::string data_dir;
  std::string store;  // name of the database that keeps checkpoints, for all driftd that share it; empty: state.db in data_dir
  Duration store_lease = 30 * kSecond;
  std::string external_url;
  unsigned workers = 0;  // threads a stream; 0: one a core
  Duration checkpoint_every = 10 * kSecond;
  Duration shutdown_grace = 30 * kSecond;
  std::string log_level;
  std::size_t series_cap = 20000;
  std::uint64_t quarantine_cap = 256ULL << 20;
  std::uint64_t journal_cap = 1ULL << 30;
  std::size_t waiting_cap = 64U << 20;
  std::uint32_t sensor_cap = 1U << 20;
  Duration sensor_idle = kHour;
  unsigned http_requests = 1000;  // a second, from one address
  std::string findings_log;
  bool findings_all = false;
  std::uint64_t findings_max_size = 256ULL << 20;
};

struct DatabaseConfig {
  std::string host;
  unsigned port = 3306;
  std::string database;
  std::string user;
  std::string password_file;
  bool tls = false;
  std::string ca_file;
  Duration timeout = 10 * kMinute;
};

struct Config {
  ServiceConfig service;
  std::map<std::string, DatabaseConfig> databases;
  std::vector<StreamConfig> streams;
  alerts::AlertsConfig alerts;

  const StreamConfig* stream(std::string_view name) const;
};

// What a configuration is read for. The service needs all of it, so that its sources are tried out,
// secret files are read and the web configuration is too. Commands on recorded data and on what driftd
// has stored need none of that, and work where those files are not.
enum class ReadFor { kService, kData };

// From the text of a file; relative paths in it are relative to `folder`.
Config read_config(const std::string& yaml, const std::string& folder, ErrorList& errors, ReadFor read_for = ReadFor::kService);

// Reads and validates a file. The Error's message has one line an error: "file:line:column: what
// (suggestion)".
Result<Config> load_config(const std::string& path, ReadFor read_for = ReadFor::kService);

// The file behind service.web_config (web_config_file.cc). An Error as load_config's; also when driftd
// would listen publicly and neither the file nor allow_public makes that right.
Result<exporters::WebConfig> load_web_config(const ServiceConfig& service);
// The same, with certificates and keys read too; null when there is no web_config.
Result<std::shared_ptr<exporters::WebAccess>> open_web_access(const ServiceConfig& service, Telemetry* telemetry);

// The lines of `driftd check`.
std::string format_errors(const std::string& path, const ErrorList& errors);

// What `service.limits` says, by key, for driftd_limit; durations in seconds.
std::vector<std::pair<std::string, double>> limits_of(const ServiceConfig& service);

// The parameter tables of the sections, for validation, schema and docs.
const std::vector<ParamSpec>& service_params();
const std::vector<ParamSpec>& database_params();
const std::vector<ParamSpec>& reference_params();
const std::vector<ParamSpec>& stream_params();
const std::vector<ParamSpec>& decode_params();
const std::vector<ParamSpec>& field_params();
const std::vector<ParamSpec>& window_params();

// stream_reader.cc: one entry of `streams:`.
StreamConfig read_stream(const std::string& name, const Node& node, const ServiceConfig& service, ReadFor read_for, ErrorList& errors);

}  // namespace driftd::app
