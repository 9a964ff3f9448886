#include "stats/mysql_session.h"

#include <mysql.h>
#include <mysqld_error.h>

#include <cstdlib>

#include "core/resolve.h"
#include "core/text.h"

namespace driftd::stats {

void MysqlSession::Close::operator()(st_mysql* mysql) const { mysql_close(mysql); }

Result<MysqlSession> MysqlSession::connect(const MysqlConnection& c) {
  MysqlSession session(mysql_init(nullptr), c.user + "@" + c.host + ":" + std::to_string(c.port) + "/" + c.database);
  MYSQL* mysql = session.handle();
  if (mysql == nullptr) return Error{ErrorCode::kInternal, "the MySQL client library could not be started"};
  // The client library asks for the name too, and without an end.
  if (const auto known = resolve(c.host, static_cast<int>(c.port), c.timeout * kSecond); !known) {
    return Error{ErrorCode::kUnavailable, "cannot connect on " + session.where_ + ": " + known.error().message};
  }
  mysql_options(mysql, MYSQL_OPT_CONNECT_TIMEOUT, &c.timeout);
  mysql_options(mysql, MYSQL_OPT_READ_TIMEOUT, &c.patience);
  mysql_options(mysql, MYSQL_OPT_WRITE_TIMEOUT, &c.patience);
  mysql_options(mysql, MYSQL_SET_CHARSET_NAME, "utf8mb4");
  if (c.tls) {
    const my_bool yes = 1;
    mysql_options(mysql, MYSQL_OPT_SSL_ENFORCE, &yes);
    mysql_options(mysql, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
    if (!c.ca_file.empty()) mysql_options(mysql, MYSQL_OPT_SSL_CA, c.ca_file.c_str());
  }
  if (mysql_real_connect(mysql, c.host.c_str(), c.user.c_str(), c.password.c_str(), c.database.c_str(), c.port, nullptr,
                         CLIENT_FOUND_ROWS) == nullptr) {
    return session.failed("cannot connect");
  }
  if (const auto s = session.execute("SET SESSION time_zone = '+00:00'"); !s) return s.error();
  return session;
}

Error MysqlSession::failed(const std::string& what) const {
  return {ErrorCode::kUnavailable, what + " on " + where_ + ": " + mysql_error(mysql_.get())};
}

bool MysqlSession::conflicted() const {
  const unsigned code = mysql_errno(mysql_.get());
  return code == ER_LOCK_DEADLOCK || code == ER_LOCK_WAIT_TIMEOUT;
}

Result<std::uint64_t> MysqlSession::execute(const std::string& sql) {
  if (mysql_real_query(mysql_.get(), sql.data(), sql.size()) != 0) return failed("'" + excerpt(sql, 100) + "'");
  return static_cast<std::uint64_t>(mysql_affected_rows(mysql_.get()));
}

Result<std::vector<MysqlSession::Row>> MysqlSession::query(const std::string& sql) {
  if (const auto s = execute(sql); !s) return s.error();
  const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(mysql_.get()), mysql_free_result);
  if (result == nullptr) return failed("'" + excerpt(sql, 100) + "'");
  const unsigned columns = mysql_num_fields(result.get());
  std::vector<Row> rows;
  while (const MYSQL_ROW values = mysql_fetch_row(result.get())) {
    const unsigned long* sizes = mysql_fetch_lengths(result.get());
    Row& row = rows.emplace_back(columns);
    for (unsigned i = 0; i < columns; ++i) {
      if (values[i] != nullptr) row[i] = std::string(values[i], sizes[i]);
    }
  }
  return rows;
}

std::int64_t MysqlSession::integer(const Cell& cell) { return cell ? std::strtoll(cell->c_str(), nullptr, 10) : 0; }

std::string MysqlSession::quote(std::string_view bytes) const {
  std::string out = "_binary'";
  const std::size_t head = out.size();
  out.resize(head + 2 * bytes.size() + 1);
  const unsigned long size = mysql_real_escape_string(mysql_.get(), out.data() + head, bytes.data(), bytes.size());
  out.resize(head + size);
  out += '\'';
  return out;
}

}  // namespace driftd::stats
