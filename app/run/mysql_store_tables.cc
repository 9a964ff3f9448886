// Connecting to a MysqlStore, and its tables.
#include "app/run/mysql_store.h"

namespace driftd::app {
namespace {

using stats::MysqlSession;

constexpr std::int64_t kLeastPacket = 1 << 20;  // the smallest default of any server; the longest statement is half of it
constexpr std::int64_t kLockWait = 2;           // seconds

// Of the tables and of what is in them: any other is refused, as a rolling upgrade has both for a while. A store without
// driftd_format is of 1.
constexpr std::int64_t kFormat = 2;

// It has its row before there is another table.
constexpr const char* kFormatTable =
    "CREATE TABLE IF NOT EXISTS driftd_format(one INT NOT NULL PRIMARY KEY, format INT NOT NULL) ENGINE=InnoDB";

constexpr const char* kTables[] = {
    "CREATE TABLE IF NOT EXISTS driftd_unit(scope VARBINARY(64) NOT NULL, stream VARBINARY(64) NOT NULL, part BIGINT NOT NULL, "
    "owner VARBINARY(64) NOT NULL, epoch BIGINT NOT NULL, beat DATETIME(6) NULL, position BIGINT NULL, config_hash VARBINARY(64) NULL, "
    "crc BIGINT NULL, size BIGINT NULL, closed_until BIGINT NULL, warm_from BIGINT NULL, idle BOOL NOT NULL, "
    "told_hash VARBINARY(64) NULL, PRIMARY KEY(scope, stream, part)) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS driftd_state(scope VARBINARY(64) NOT NULL, stream VARBINARY(64) NOT NULL, part BIGINT NOT NULL, "
    "chunk INT NOT NULL, bytes MEDIUMBLOB NOT NULL, PRIMARY KEY(scope, stream, part, chunk)) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS driftd_output(id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, stream VARBINARY(64) NOT NULL, "
    "part BIGINT NOT NULL, window_end BIGINT NOT NULL, config_hash VARBINARY(64) NOT NULL, reference VARBINARY(64) NOT NULL, crc BIGINT "
    "NOT NULL, size BIGINT NOT NULL, UNIQUE KEY(stream, part, window_end, config_hash)) ENGINE=InnoDB",
    "CREATE TABLE IF NOT EXISTS driftd_output_chunk(id BIGINT NOT NULL, chunk INT NOT NULL, bytes MEDIUMBLOB NOT NULL, "
    "PRIMARY KEY(id, chunk)) ENGINE=InnoDB",
};

Result<bool> exists(MysqlSession& session, const std::string& table) {
  const auto rows = session.query("SELECT 1 FROM information_schema.tables WHERE table_schema=DATABASE() AND table_name='" + table + "'");
  if (!rows) return rows.error();
  return !rows->empty();
}

// Passes a database that has no tables of a store yet.
Status check_format(MysqlSession& session) {
  // In this order: one that another driftd is just making is not taken for one of format 1.
  const auto made = exists(session, "driftd_unit");
  if (!made) return made.error();
  const auto told = exists(session, "driftd_format");
  if (!told) return told.error();
  std::int64_t format = *made ? 1 : kFormat;
  if (*told) {
    const auto rows = session.query("SELECT format FROM driftd_format WHERE one=1");
    if (!rows) return rows.error();
    if (!rows->empty()) format = MysqlSession::integer((*rows)[0][0]);
  }
  if (format == kFormat) return {};
  return Error{ErrorCode::kUnavailable,
               std::string("its tables are of ") + (format > kFormat ? "a newer" : "an older") + " driftd, of format " +
                   std::to_string(format) + ", and this one (" DRIFTD_VERSION ") reads and writes format " + std::to_string(kFormat) +
                   " only: run the version that made them, or give service.store a new database, in which partitions warm up"};
}

}  // namespace

Result<std::unique_ptr<MysqlStore>> MysqlStore::open(const stats::MysqlConnection& connection, std::string instance, Duration lease) {
  std::unique_ptr<MysqlStore> store(new MysqlStore(connection, std::move(instance), lease));
  const Status made = store->transact([&]() -> Status {
    const std::string row = "INSERT IGNORE INTO driftd_format VALUES(1," + std::to_string(kFormat) + ")";
    for (const std::string& sql : {std::string(kFormatTable), row}) {
      if (const auto s = store->session_->execute(sql); !s) return s.error();
    }
    // Another one may have been faster.
    if (const Status s = check_format(*store->session_); !s) return s;
    for (const char* sql : kTables) {
      if (const auto s = store->session_->execute(sql); !s) return s.error();
    }
    return {};
  });
  if (!made) return made.error();
  return store;
}

std::unique_ptr<MysqlStore> MysqlStore::open_to_read(const stats::MysqlConnection& connection) {
  return std::unique_ptr<MysqlStore>(new MysqlStore(connection, "", 0));
}

Status MysqlStore::connect() {
  auto session = MysqlSession::connect(connection_);
  if (!session) return session.error();
  const auto packet = session->query("SELECT @@max_allowed_packet");
  if (!packet) return packet.error();
  if (MysqlSession::integer((*packet)[0][0]) < kLeastPacket) {
    return Error{ErrorCode::kUnavailable, "the server takes statements of " + (*packet)[0][0].value_or("") +
                                              " bytes only: set its max_allowed_packet to " + std::to_string(kLeastPacket) + " or more"};
  }
  for (const std::string& sql : {std::string("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED"),
                                 "SET SESSION innodb_lock_wait_timeout=" + std::to_string(kLockWait)}) {
    if (const auto set = session->execute(sql); !set) return set.error();
  }
  if (const Status s = check_format(*session); !s) return s;
  session_ = std::move(*session);
  return {};
}

}  // namespace driftd::app
