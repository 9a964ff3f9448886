// Rows of a MySQL or MariaDB query, streamed: each becomes one JSON object of column names to values.
//
// Unbuffered, in a READ ONLY transaction: memory does not grow with the result. Numeric columns are JSON
// numbers as the server wrote them (BIT its number too), NULL is null, dates and times RFC 3339 in UTC ("2026-01-01T00:00:00Z"),
// everything else a string. Blocking; not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace driftd::stats {

struct MysqlConnection {
  std::string host = "127.0.0.1";
  unsigned port = 3306;
  std::string database;
  std::string user;
  std::string password;     // never in an error or a log line
  bool tls = false;         // encrypt, and verify the server
  std::string ca_file;      // PEM of the authorities to trust; empty: the system's
  unsigned timeout = 10;    // seconds to connect
  unsigned patience = 600;  // seconds without a byte from the server, before it counts as frozen
};

// Calls `row` for each row; stops at its first error and returns it. Returns the number of rows.
Result<std::uint64_t> read_mysql_rows(const MysqlConnection& connection, const std::string& query,
                                      const std::function<Status(std::string_view json)>& row);

}  // namespace driftd::stats
