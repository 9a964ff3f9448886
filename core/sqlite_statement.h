// Statement: a prepared SQLite statement that cleans up after itself.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace driftd {

// The connection's newest error.
Error sqlite_error(sqlite3* db, std::string_view what);
// The URI (SQLITE_OPEN_URI) of a file; `immutable`: of one that nobody writes, so that it can be read where nothing
// can be written, not even what WAL needs for reading.
std::string sqlite_uri(const std::string& path, bool immutable);
Status sqlite_execute(sqlite3* db, const char* sql);

class Statement {
 public:
  Statement(sqlite3* db, const char* sql);
  ~Statement();
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  // Binds the next parameter.
  Statement& bind(std::string_view text);
  Statement& bind(std::int64_t value);
  // Not copied, as they may be many: the bytes must stay until the statement has run and is reset or gone.
  Statement& bind_blob(std::string_view bytes);

  // True when there is a row to read.
  Result<bool> step();
  // Runs a statement that gives no rows.
  Status run();
  // Ready to be bound and run again.
  void reset();

  std::int64_t integer(int column);
  std::string text(int column);  // also of a blob

 private:
  sqlite3* db_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

}  // namespace driftd
