// What of `service:` can change while driftd runs, and what cannot.
#pragma once

#include <string>
#include <vector>

#include "app/config/config.h"
#include "core/log.h"

namespace driftd::app {

// Keys whose values differ and that only a restart can change, as they stand in the configuration
// ("service.listen"); empty: the new one can be applied. checkpoint_every, shutdown_grace, log_level and
// external_url can change.
std::vector<std::string> needs_restart(const ServiceConfig& old, const ServiceConfig& next);

log::Level log_level(const ServiceConfig& service);

}  // namespace driftd::app
