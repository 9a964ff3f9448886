#include "app/run/config_change.h"

namespace driftd::app {

std::vector<std::string> needs_restart(const ServiceConfig& old, const ServiceConfig& next) {
  std::vector<std::string> keys;
  const auto compare = [&](const char* key, const auto& before, const auto& after) {
    if (!(before == after)) keys.push_back(std::string("service.") + key);
  };
  compare("listen", old.listen, next.listen);
  compare("web_config", old.web_config, next.web_config);
  compare("allow_public", old.allow_public, next.allow_public);
  compare("data_dir", old.data_dir, next.data_dir);
  compare("store", old.store, next.store);
  compare("store_lease", old.store_lease, next.store_lease);
  compare("workers", old.workers, next.workers);
  compare("limits.series", old.series_cap, next.series_cap);
  compare("limits.quarantine", old.quarantine_cap, next.quarantine_cap);
  compare("limits.journal", old.journal_cap, next.journal_cap);
  compare("limits.sensors", old.sensor_cap, next.sensor_cap);
  compare("limits.sensor_idle", old.sensor_idle, next.sensor_idle);
  compare("limits.http_requests", old.http_requests, next.http_requests);
  // It lies in data_dir unless it is absolute, and would be named twice.
  if (old.data_dir == next.data_dir) compare("findings.log", old.findings_log, next.findings_log);
  compare("findings.all", old.findings_all, next.findings_all);
  compare("findings.max_size", old.findings_max_size, next.findings_max_size);
  return keys;
}

log::Level log_level(const ServiceConfig& service) {
  if (service.log_level == "debug") return log::Level::kDebug;
  if (service.log_level == "warning") return log::Level::kWarning;
  return service.log_level == "error" ? log::Level::kError : log::Level::kInfo;
}

}  // namespace driftd::app
