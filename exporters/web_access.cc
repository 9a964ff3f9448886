#include "exporters/web_access.h"

#include <sys/stat.h>

#include <boost/asio/ssl/context.hpp>

#include "core/log.h"
#include "core/secret.h"
#include "exporters/tls_context.h"

namespace driftd::exporters {
namespace {

// What changes when a file does.
std::string signature_of(const std::string& file) {
  const auto path = secret_file(file);
  struct stat s {};
  if (!path || stat(path->c_str(), &s) != 0) return "absent;";
  return std::to_string(s.st_mtim.tv_sec) + ',' + std::to_string(s.st_mtim.tv_nsec) + ',' + std::to_string(s.st_size) + ',' +
         std::to_string(s.st_ino) + ';';
}

}  // namespace

Result<std::shared_ptr<WebAccess>> WebAccess::make(std::string path, Load load, Telemetry* telemetry) {
  std::shared_ptr<WebAccess> access(new WebAccess(std::move(path), std::move(load), telemetry));
  auto state = access->read();
  if (!state) return state.error();
  access->state_ = std::move(*state);
  access->report(true);
  return access;
}

std::shared_ptr<const WebAccess::State> WebAccess::current() const {
  const std::scoped_lock lock(mutex_);
  return state_;
}

// Each file is looked at before it is read: one that changes meanwhile is read again.
Result<std::shared_ptr<const WebAccess::State>> WebAccess::read() {
  files_ = {path_};
  seen_ = signature_of(path_);
  auto config = load_();
  if (!config) return config.error();
  auto state = std::make_shared<State>();
  state->config = std::move(*config);
  if (const auto& tls = state->config.tls) {
    for (const std::string& file : {tls->cert_file, tls->key_file, tls->client_ca_file}) {
      files_.push_back(file);
      seen_ += signature_of(file);
    }
    auto context = make_tls_context(*tls);
    if (!context) return context.error().at(path_);
    state->tls = std::move(*context);
  }
  if (!state->config.users.empty()) state->auth = std::make_shared<BasicAuth>(state->config.users);
  return std::shared_ptr<const State>(std::move(state));
}

void WebAccess::report(bool good) {
  if (telemetry_ != nullptr) telemetry_->series(Metric::kWebConfigOk).set(good ? 1 : 0);
}

void WebAccess::refresh() {
  std::string now;
  for (const std::string& file : files_) now += signature_of(file);
  if (now == seen_) return;
  auto state = read();
  report(state.ok());
  if (!state) {
    log::error("the changed web configuration is not applied; the old one stays", {{"file", path_}, {"why", state.error().message}});
    return;
  }
  {
    const std::scoped_lock lock(mutex_);
    state_ = std::move(*state);
  }
  log::info("the changed web configuration is applied", {{"file", path_}});
}

}  // namespace driftd::exporters
