#include "app/config/database_connection.h"

#include "core/secret.h"

namespace driftd::app {

Result<stats::MysqlConnection> database_connection(const Config& config, const std::string& name) {
  const auto it = config.databases.find(name);
  if (it == config.databases.end()) return Error{ErrorCode::kInvalidArgument, "the configuration has no database '" + name + "'"};
  const DatabaseConfig& d = it->second;
  stats::MysqlConnection c;
  c.host = d.host;
  c.port = d.port;
  c.database = d.database;
  c.user = d.user;
  c.tls = d.tls;
  c.ca_file = d.ca_file;
  c.patience = static_cast<unsigned>(d.timeout / kSecond);
  if (!d.password_file.empty()) {
    auto password = read_secret(d.password_file);
    if (!password) return password.error().at("database " + name + ": password_file");
    c.password = std::move(*password);
  }
  return c;
}

}  // namespace driftd::app
