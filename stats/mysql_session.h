// MysqlSession: one connection to a MySQL or MariaDB, for statements and small results.
//
// A statement that fails leaves the session as it is: after kUnavailable throw it away and connect again.
// Blocking, at most the connection's patience; not thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

struct st_mysql;

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

class MysqlSession {
 public:
  static Result<MysqlSession> connect(const MysqlConnection& connection);

  // A statement without a result. Returns the rows that it found, also those that it did not have to change.
  Result<std::uint64_t> execute(const std::string& sql);
  using Cell = std::optional<std::string>;  // nullopt: NULL
  using Row = std::vector<Cell>;
  // What a cell of an integer column says; NULL is 0.
  static std::int64_t integer(const Cell& cell);
  // All rows of a SELECT, in memory.
  Result<std::vector<Row>> query(const std::string& sql);
  // A literal of these bytes, whatever they are.
  std::string quote(std::string_view bytes) const;

  // "cannot connect on user@host:port/database: why", of the newest failure.
  Error failed(const std::string& what) const;
  // It is a deadlock, or a lock that another session kept for too long: the session is as good as before, and the whole
  // transaction, rolled back, may be done again.
  bool conflicted() const;
  st_mysql* handle() const { return mysql_.get(); }

 private:
  struct Close {
    void operator()(st_mysql* mysql) const;
  };
  MysqlSession(st_mysql* mysql, std::string where) : mysql_(mysql), where_(std::move(where)) {}

  std::unique_ptr<st_mysql, Close> mysql_;
  std::string where_;
};

}  // namespace driftd::stats
