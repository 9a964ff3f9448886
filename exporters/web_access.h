// WebAccess: the web configuration in force. The file, certificates, key and authorities are looked
// at by refresh(); what changed takes effect for the next connection (TLS) and the next request
// (passwords), without a restart. A new state that cannot be used leaves the old one in force; that
// is logged once for each such state and exported (driftd_web_config_last_reload_successful).
//
// Thread-safety: refresh() by one thread at a time, current() by any. Cost of a refresh without a
// change: one stat a file.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "core/telemetry.h"
#include "exporters/basic_auth.h"
#include "exporters/web_config.h"

namespace boost::asio::ssl {
class context;
}

namespace driftd::exporters {

class WebAccess {
 public:
  struct State {
    WebConfig config;
    std::shared_ptr<boost::asio::ssl::context> tls;  // nullptr: plain HTTP
    std::shared_ptr<BasicAuth> auth;                 // nullptr: no passwords
  };
  // Reads and validates the file; its error names file, line and column.
  using Load = std::function<Result<WebConfig>()>;

  // kInvalidArgument or kIo say what is wrong with the file or what it names. `telemetry` may be
  // null and must outlive it.
  static Result<std::shared_ptr<WebAccess>> make(std::string path, Load load, Telemetry* telemetry);

  void refresh();
  std::shared_ptr<const State> current() const;

 private:
  WebAccess(std::string path, Load load, Telemetry* telemetry) : path_(std::move(path)), load_(std::move(load)), telemetry_(telemetry) {}

  Result<std::shared_ptr<const State>> read();
  void report(bool good);

  const std::string path_;
  const Load load_;
  Telemetry* const telemetry_;
  std::vector<std::string> files_;  // what the newest read() looked at
  std::string seen_;                // and how they were then
  mutable std::mutex mutex_;        // guards state_
  std::shared_ptr<const State> state_;
};

}  // namespace driftd::exporters
