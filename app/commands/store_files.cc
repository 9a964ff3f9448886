#include "app/commands/store_files.h"

#include <sqlite3.h>

#include <filesystem>
#include <functional>
#include <iostream>

#include "core/hash.h"
#include "core/sqlite_statement.h"
#include "core/text.h"

namespace driftd::app {
namespace {

// What is in a file whose structure is sound, in a few words; kCorrupt: what is damaged.
using Look = std::function<Result<std::string>(sqlite3* db)>;

Result<std::string> waiting_messages(sqlite3* db) {
  Statement s(db, "SELECT COUNT(*) FROM outbox WHERE state=0");
  const auto row = s.step();
  if (!row) return row.error();
  return std::to_string(s.integer(0)) + " undelivered";
}

Result<std::string> references_by_hash(sqlite3* db) {
  std::string damaged;
  std::size_t versions = 0;
  Statement s(db, "SELECT name, version, hash, content FROM reference ORDER BY name, version");
  for (;;) {
    const auto row = s.step();
    if (!row) return row.error();
    if (!*row) break;
    ++versions;
    if (sha256_hex(s.text(3)) != s.text(2)) damaged += (damaged.empty() ? "" : ", ") + s.text(0) + "@" + std::to_string(s.integer(1));
  }
  if (!damaged.empty()) return Error{ErrorCode::kCorrupt, "content without its hash: " + damaged};
  return std::to_string(versions) + " versions";
}

Result<std::string> look_into(sqlite3* db, const Look& look) {
  Statement s(db, "PRAGMA quick_check(1)");
  const auto row = s.step();
  if (!row) return row.error();
  const std::string said = *row ? s.text(0) : "no answer";
  s.reset();
  if (said != "ok") return Error{ErrorCode::kCorrupt, said};
  return look(db);
}

Result<std::string> read(const std::string& path, const Look& look) {
  // Of a file with a -wal that nothing may be written beside, the newest part could not be read.
  const bool alone = !std::filesystem::exists(path + "-wal");
  Result<std::string> said = Error{};
  for (const bool immutable : {false, true}) {
    if (immutable && !alone) break;
    sqlite3* db = nullptr;
    const int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI;
    const bool opened = sqlite3_open_v2(sqlite_uri(path, immutable).c_str(), &db, flags, nullptr) == SQLITE_OK;
    sqlite3_busy_timeout(db, 5000);
    said = opened ? look_into(db, look) : Result<std::string>(sqlite_error(db, "opening"));
    sqlite3_close(db);
    if (said || said.error().code == ErrorCode::kCorrupt) break;
  }
  return said;
}

bool print(const std::string& data_dir, const std::string& name, const Look& look) {
  const std::string path = data_dir + "/" + name;
  if (!std::filesystem::exists(path)) {
    std::cout << name << ": there is none\n";
    return true;
  }
  const auto said = read(path, look);
  if (said) {
    std::cout << name << ": whole, " << *said << "\n";
    return true;
  }
  const bool damaged = said.error().code == ErrorCode::kCorrupt;
  std::cout << name << (damaged ? ": damaged: " : ": cannot be read: ") << excerpt(said.error().message, 300) << "\n";
  return false;
}

}  // namespace

bool print_store_files(const std::string& data_dir) {
  const bool outbox = print(data_dir, "outbox.db", waiting_messages);
  const bool references = print(data_dir, "references.db", references_by_hash);
  return outbox && references;
}

}  // namespace driftd::app
