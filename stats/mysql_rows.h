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
#include "stats/mysql_session.h"

namespace driftd::stats {

// Calls `row` for each row; stops at its first error and returns it. Returns the number of rows.
Result<std::uint64_t> read_mysql_rows(const MysqlConnection& connection, const std::string& query,
                                      const std::function<Status(std::string_view json)>& row);

}  // namespace driftd::stats
