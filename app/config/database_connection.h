// How to connect to an entry of `databases:`.
#pragma once

#include <string>

#include "app/config/config.h"
#include "stats/mysql_session.h"

namespace driftd::app {

// Reads the password's file; an Error when that cannot be read, or there is no such entry.
Result<stats::MysqlConnection> database_connection(const Config& config, const std::string& name);

}  // namespace driftd::app
