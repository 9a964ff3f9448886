#include "app/run/config_change.h"

#include <gtest/gtest.h>

#include <functional>

namespace driftd::app {
namespace {

TEST(ConfigChange, NamesWhatNeedsARestart) {
  const struct {
    const char* key;  // empty: can change
    std::function<void(ServiceConfig&)> change;
  } table[] = {
      {"", [](auto&) {}},
      {"", [](auto& s) { s.checkpoint_every = kHour; }},
      {"", [](auto& s) { s.shutdown_grace = kHour; }},
      {"", [](auto& s) { s.log_level = "debug"; }},
      {"", [](auto& s) { s.external_url = "http://h/"; }},
      {"service.listen", [](auto& s) { s.listen = "127.0.0.1:1"; }},
      {"service.web_config", [](auto& s) { s.web_config = "w"; }},
      {"service.allow_public", [](auto& s) { s.allow_public = true; }},
      {"service.data_dir", [](auto& s) { s.data_dir = "/x", s.findings_log = "/x/findings.jsonl"; }},
      {"service.store", [](auto& s) { s.store = "state"; }},
      {"service.store_lease", [](auto& s) { s.store_lease = kMinute; }},
      {"service.workers", [](auto& s) { s.workers = 3; }},
      {"service.limits.series", [](auto& s) { ++s.series_cap; }},
      {"service.limits.quarantine", [](auto& s) { ++s.quarantine_cap; }},
      {"service.limits.journal", [](auto& s) { ++s.journal_cap; }},
      {"service.limits.sensors", [](auto& s) { ++s.sensor_cap; }},
      {"service.limits.sensor_idle", [](auto& s) { ++s.sensor_idle; }},
      {"service.limits.http_requests", [](auto& s) { ++s.http_requests; }},
      {"service.findings.log", [](auto& s) { s.findings_log = "f"; }},
      {"service.findings.all", [](auto& s) { s.findings_all = true; }},
      {"service.findings.max_size", [](auto& s) { ++s.findings_max_size; }},
  };
  for (const auto& [key, change] : table) {
    ServiceConfig next;
    change(next);
    const std::vector<std::string> expected = *key == '\0' ? std::vector<std::string>{} : std::vector<std::string>{key};
    EXPECT_EQ(needs_restart({}, next), expected) << key;
  }
}

}  // namespace
}  // namespace driftd::app
