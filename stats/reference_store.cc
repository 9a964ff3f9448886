#include "stats/reference_store.h"

#include <sqlite3.h>

#include "core/clock.h"
#include "core/hash.h"
#include "core/sqlite_statement.h"
#include "core/text.h"
#include "stats/provenance_codec.h"
#include "stats/reference_name.h"

namespace driftd::stats {
namespace {

// Rows of name, word and version: each word to its version's list.
Status add_words(Statement& rows, std::vector<ReferenceSummary>& to, std::vector<std::string> ReferenceSummary::*list) {
  for (;;) {
    const auto row = rows.step();
    if (!row) return row.error();
    if (!*row) return {};
    for (ReferenceSummary& one : to) {
      if (one.name == rows.text(0) && one.version == static_cast<std::uint32_t>(rows.integer(2))) (one.*list).push_back(rows.text(1));
    }
  }
}

}  // namespace

Result<std::unique_ptr<ReferenceStore>> ReferenceStore::open(const std::string& path) {
  sqlite3* db = nullptr;
  if (sqlite3_open(path.c_str(), &db) != SQLITE_OK) {
    const Error error = sqlite_error(db, "reference store " + path + " cannot be opened");
    sqlite3_close(db);
    return error;
  }
  std::unique_ptr<ReferenceStore> store(new ReferenceStore(db));
  sqlite3_busy_timeout(db, 5000);
  for (const char* sql :
       {"PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL",
        "CREATE TABLE IF NOT EXISTS reference(name TEXT, version INTEGER, hash TEXT, provenance BLOB, content BLOB, "
        "PRIMARY KEY(name, version), UNIQUE(name, hash))",
        "CREATE TABLE IF NOT EXISTS tag(name TEXT, tag TEXT, version INTEGER, PRIMARY KEY(name, tag, version))",
        "CREATE TABLE IF NOT EXISTS promotion(id INTEGER PRIMARY KEY, name TEXT, alias TEXT, version INTEGER, valid_from INTEGER, "
        "who TEXT, at INTEGER, settled INTEGER NOT NULL DEFAULT 0)",
        "CREATE TABLE IF NOT EXISTS lack(stream TEXT, which TEXT, valid_from INTEGER, settled INTEGER, PRIMARY KEY(stream, which))"}) {
    if (const Status s = sqlite_execute(db, sql); !s) return s.error().at("reference store " + path);
  }
  return store;
}

ReferenceStore::~ReferenceStore() { sqlite3_close(db_); }

Status ReferenceStore::transaction(const std::function<Status()>& body) {
  if (const Status s = sqlite_execute(db_, "BEGIN IMMEDIATE"); !s) return s;
  Status status = body();
  if (status) status = sqlite_execute(db_, "COMMIT");
  if (!status) sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr);
  return status;
}

Result<std::uint32_t> ReferenceStore::put(const Reference& reference) {
  if (const Status s = check_reference_name(reference.name); !s) return s.error();
  for (const std::string& tag : reference.tags) {
    if (const Status s = check_reference_word("tag", tag); !s) return s.error().at("reference " + reference.name);
  }
  // Not reference.hash: that may be of the content that it had when it was read.
  const std::string content = reference.content(), hash = sha256_hex(content);
  const std::scoped_lock lock(mutex_);
  std::uint32_t version = 0;
  const Status done = transaction([&]() -> Status {
    Statement known(db_, "SELECT version FROM reference WHERE name=? AND hash=?");
    known.bind(reference.name).bind(hash);
    const auto found = known.step();
    if (!found) return found.error();
    if (*found) {
      version = static_cast<std::uint32_t>(known.integer(0));
    } else {
      Statement newest(db_, "SELECT COALESCE(MAX(version), 0) + 1 FROM reference WHERE name=?");
      newest.bind(reference.name);
      if (const auto row = newest.step(); !row) return row.error();
      version = static_cast<std::uint32_t>(newest.integer(0));
      ByteWriter provenance;
      save(provenance, reference.provenance);
      Statement insert(db_, "INSERT INTO reference VALUES(?,?,?,?,?)");
      insert.bind(reference.name).bind(std::int64_t{version}).bind(hash).bind_blob(provenance.bytes()).bind_blob(content);
      if (const Status s = insert.run(); !s) return s;
    }
    for (const std::string& tag : reference.tags) {
      if (const Status s = add_tag(reference.name, tag, version); !s) return s;
    }
    return {};
  });
  if (!done) return done.error().at("storing reference " + reference.name);
  return version;
}

Result<bool> ReferenceStore::has(const std::string& name, const char* sql, const std::string& word) {
  Statement any(db_, sql);
  any.bind(name).bind(word);
  return any.step();
}

// A configuration that names a tag means one version for good; what moves is an alias.
Status ReferenceStore::add_tag(const std::string& name, const std::string& tag, std::uint32_t version) {
  Statement tagged(db_, "SELECT version FROM tag WHERE name=? AND tag=? ORDER BY version<>? LIMIT 1");
  tagged.bind(name).bind(tag).bind(std::int64_t{version});
  const auto row = tagged.step();
  if (!row) return row.error();
  const auto holder = *row ? static_cast<std::uint32_t>(tagged.integer(0)) : 0;
  if (holder == version) return {};
  if (holder != 0) {
    return Error{ErrorCode::kInvalidArgument, name + "@" + std::to_string(holder) + " has the tag '" + tag +
                                                  "', and a tag does not move; take another tag, or for something that moves an alias"};
  }
  const auto alias = has(name, "SELECT 1 FROM promotion WHERE name=? AND alias=?", tag);
  if (!alias) return alias.error();
  if (*alias) {
    return Error{ErrorCode::kInvalidArgument, "'" + tag + "' is an alias of " + name + " and cannot be a tag too; take another tag"};
  }
  Statement insert(db_, "INSERT INTO tag VALUES(?,?,?)");
  insert.bind(name).bind(tag).bind(std::int64_t{version});
  return insert.run();
}

Result<Reference> ReferenceStore::read(const std::string& name, std::uint32_t version) {
  Statement s(db_, "SELECT hash, provenance, content FROM reference WHERE name=? AND version=?");
  s.bind(name).bind(std::int64_t{version});
  const auto found = s.step();
  if (!found) return found.error();
  if (!*found) return not_found(name, std::to_string(version)).error();
  Reference r;
  const std::string where = "reference " + name + "@" + std::to_string(version);
  const std::string hash = s.text(0), provenance = s.text(1), content = s.text(2);
  ByteReader in(provenance);
  if (const Status loaded = load(in, r.provenance); !loaded) return loaded.error().at(where);
  if (const Status loaded = r.load_content(content); !loaded) return loaded.error().at(where);
  if (r.hash != hash) return Error{ErrorCode::kCorrupt, where + ": its content does not have its hash; the store is damaged"};
  r.name = name;
  r.version = version;
  Statement tags(db_, "SELECT tag FROM tag WHERE name=? AND version=? ORDER BY tag");
  tags.bind(name).bind(std::int64_t{version});
  for (;;) {
    const auto row = tags.step();
    if (!row) return row.error();
    if (!*row) return r;
    r.tags.push_back(tags.text(0));
  }
}

Result<Reference> ReferenceStore::get(const std::string& name, std::uint32_t version) {
  const std::scoped_lock lock(mutex_);
  return read(name, version);
}

Status ReferenceStore::not_found(const std::string& name, const std::string& what) {
  std::vector<std::string> names, known;
  Statement all(db_, "SELECT DISTINCT name FROM reference ORDER BY name");
  for (auto row = all.step(); row && *row; row = all.step()) names.push_back(all.text(0));
  Statement words(db_,
                  "SELECT tag FROM tag WHERE name=?1 UNION SELECT alias FROM promotion WHERE name=?1 UNION "
                  "SELECT CAST(version AS TEXT) FROM reference WHERE name=?1");
  words.bind(name);
  for (auto row = words.step(); row && *row; row = words.step()) known.push_back(words.text(0));
  if (known.empty()) {
    const auto near = nearest(name, names);
    return Error{ErrorCode::kNotFound, "there is no reference '" + excerpt(name, 60) + "'" +
                                           (near            ? "; did you mean '" + *near + "'?"
                                            : names.empty() ? "; build one with driftd reference build"
                                                            : "; there are: " + join(names))};
  }
  const auto near = nearest(what, known);
  return Error{ErrorCode::kNotFound, "reference " + name + " has no '" + excerpt(what, 60) + "'" +
                                         (near ? "; did you mean '" + *near + "'?" : "; it has: " + join(known))};
}

Result<std::uint32_t> ReferenceStore::version_of(const std::string& name, const std::string& what, Time at) {
  const auto first = [](Statement& s) -> Result<std::uint32_t> {
    const auto row = s.step();
    if (!row) return row.error();
    return *row ? static_cast<std::uint32_t>(s.integer(0)) : 0U;
  };
  if (what.empty()) {
    Statement newest(db_, "SELECT COALESCE(MAX(version), 0) FROM reference WHERE name=?");
    newest.bind(name);
    return first(newest);
  }
  if (const auto number = version_number(what)) return *number;
  Statement alias(db_, "SELECT version FROM promotion WHERE name=? AND alias=? AND valid_from<=? ORDER BY id DESC LIMIT 1");
  alias.bind(name).bind(what).bind(at == kNoTime ? SystemClock().now() : at);
  auto version = first(alias);
  if (!version || *version != 0) return version;
  Statement tag(db_, "SELECT MAX(version) FROM tag WHERE name=? AND tag=?");
  tag.bind(name).bind(what);
  return first(tag);
}

Result<Reference> ReferenceStore::resolve(const std::string& which, Time at) {
  const std::scoped_lock lock(mutex_);
  const std::size_t sign = which.find('@');
  const std::string name = which.substr(0, sign);
  const std::string what = sign == std::string::npos ? "" : which.substr(sign + 1);
  const auto version = version_of(name, what, at);
  if (!version) return version.error();
  if (*version == 0) return not_found(name, what).error();
  return read(name, *version);
}

Result<std::vector<ReferenceSummary>> ReferenceStore::list() {
  const std::scoped_lock lock(mutex_);
  std::vector<ReferenceSummary> out;
  Statement s(db_, "SELECT name, version, hash, provenance FROM reference ORDER BY name, version");
  for (;;) {
    const auto row = s.step();
    if (!row) return row.error();
    if (!*row) break;
    ReferenceSummary& one = out.emplace_back();
    one.name = s.text(0);
    one.version = static_cast<std::uint32_t>(s.integer(1));
    one.hash = s.text(2);
    const std::string provenance = s.text(3);
    ByteReader in(provenance);
    if (const Status loaded = load(in, one.provenance); !loaded) return loaded.error().at("reference " + one.name);
  }
  Statement tags(db_, "SELECT name, tag, version FROM tag ORDER BY tag");
  if (const Status done = add_words(tags, out, &ReferenceSummary::tags); !done) return done.error();
  Statement aliases(db_,
                    "SELECT name, alias, version FROM promotion p WHERE id=(SELECT MAX(id) FROM promotion q WHERE q.name=p.name "
                    "AND q.alias=p.alias AND q.valid_from<=?)");
  aliases.bind(SystemClock().now());
  if (const Status done = add_words(aliases, out, &ReferenceSummary::aliases); !done) return done.error();
  return out;
}

Result<std::vector<Promotion>> ReferenceStore::promotions(const std::string& name) {
  const std::scoped_lock lock(mutex_);
  return read_promotions(name);
}

Result<std::vector<Promotion>> ReferenceStore::read_promotions(const std::string& name) {
  std::vector<Promotion> out;
  Statement s(db_, "SELECT id, alias, version, valid_from, settled, who, at FROM promotion WHERE name=? ORDER BY id");
  s.bind(name);
  for (;;) {
    const auto row = s.step();
    if (!row) return row.error();
    if (!*row) return out;
    out.push_back(
        {s.integer(0), s.text(1), static_cast<std::uint32_t>(s.integer(2)), s.integer(3), s.integer(4) != 0, s.text(5), s.integer(6)});
  }
}

Result<std::vector<ReferenceEdition>> ReferenceStore::history(const std::string& which, const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  const std::size_t sign = which.find('@');
  const std::string name = which.substr(0, sign);
  const std::string what = sign == std::string::npos ? "" : which.substr(sign + 1);
  const auto all = read_promotions(name);
  if (!all) return all.error();
  bool is_alias = false;
  std::vector<std::pair<Time, std::uint32_t>> line;  // a later promotion takes all of time from its own on
  for (const Promotion& p : *all) {
    if (p.alias != what) continue;
    is_alias = true;
    if (!stream.empty() && !p.settled) continue;
    while (!line.empty() && line.back().first >= p.valid_from) line.pop_back();
    if (line.empty() || line.back().second != p.version) line.emplace_back(p.valid_from, p.version);
  }
  if (!is_alias) {
    const auto version = version_of(name, what, kNoTime);
    if (!version) return version.error();
    if (*version == 0) return not_found(name, what).error();
    Statement lack(db_, "SELECT valid_from, settled FROM lack WHERE stream=? AND which=?");
    lack.bind(stream).bind(which);
    const auto lacked = lack.step();
    if (!lacked) return lacked.error();
    const bool settled = !*lacked || lack.integer(1) != 0;
    if (settled) line.emplace_back(*lacked ? lack.integer(0) : kNoTime, *version);
  }
  if (line.size() > kEditions) line.erase(line.begin(), line.end() - kEditions);
  std::vector<ReferenceEdition> out;
  for (const auto& [from, version] : line) {
    auto reference = read(name, version);
    if (!reference) return reference.error();
    out.push_back({from, std::make_shared<const Reference>(std::move(*reference))});
  }
  return out;
}

Status ReferenceStore::settle(std::int64_t promotion, Time valid_from) {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "UPDATE promotion SET valid_from=?, settled=1 WHERE id=?");
  s.bind(valid_from).bind(promotion);
  return s.run();
}

Status ReferenceStore::lacks(const std::string& stream, const std::string& which) {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "INSERT OR REPLACE INTO lack VALUES(?,?,?,0)");
  s.bind(stream).bind(which).bind(kNoTime);
  return s.run();
}

Result<std::vector<std::string>> ReferenceStore::lacking(const std::string& which) {
  const std::scoped_lock lock(mutex_);
  std::vector<std::string> out;
  Statement s(db_, "SELECT stream FROM lack WHERE which=? AND settled=0 ORDER BY stream");
  s.bind(which);
  for (;;) {
    const auto row = s.step();
    if (!row) return row.error();
    if (!*row) return out;
    out.push_back(s.text(0));
  }
}

Status ReferenceStore::settle_lack(const std::string& stream, const std::string& which, Time valid_from) {
  const std::scoped_lock lock(mutex_);
  Statement s(db_, "UPDATE lack SET valid_from=?, settled=1 WHERE stream=? AND which=?");
  s.bind(valid_from).bind(stream).bind(which);
  return s.run();
}

Status ReferenceStore::promote(const std::string& name, std::uint32_t version, const std::string& alias, Time valid_from,
                               const std::string& who, Time now) {
  const std::scoped_lock lock(mutex_);
  if (const Status s = check_reference_word("alias", alias); !s) return s;
  return transaction([&]() -> Status {
    Statement known(db_, "SELECT 1 FROM reference WHERE name=? AND version=?");
    known.bind(name).bind(std::int64_t{version});
    const auto row = known.step();
    if (!row) return row.error();
    if (!*row) return not_found(name, std::to_string(version));
    const auto tag = has(name, "SELECT 1 FROM tag WHERE name=? AND tag=?", alias);
    if (!tag) return tag.error();
    // Stores of before may have both; the alias is what is reached there, and can still be moved.
    const auto old = has(name, "SELECT 1 FROM promotion WHERE name=? AND alias=?", alias);
    if (!old) return old.error();
    if (*tag && !*old) {
      return Error{ErrorCode::kInvalidArgument, "'" + alias + "' is a tag of " + name + " and cannot be an alias too; take another alias"};
    }
    Statement insert(db_, "INSERT INTO promotion(name, alias, version, valid_from, who, at) VALUES(?,?,?,?,?,?)");
    insert.bind(name).bind(alias).bind(std::int64_t{version}).bind(valid_from).bind(who).bind(now);
    return insert.run();
  });
}

Result<std::uint32_t> ReferenceStore::rollback(const std::string& name, const std::string& alias, const std::string& who, Time now) {
  std::uint32_t before = 0;
  {
    const std::scoped_lock lock(mutex_);
    Statement s(db_,
                "SELECT version FROM promotion WHERE name=?1 AND alias=?2 AND version<>"
                "(SELECT version FROM promotion WHERE name=?1 AND alias=?2 ORDER BY id DESC LIMIT 1) ORDER BY id DESC LIMIT 1");
    s.bind(name).bind(alias);
    const auto row = s.step();
    if (!row) return row.error();
    if (!*row) return Error{ErrorCode::kNotFound, name + "@" + alias + " has no version before to go back to"};
    before = static_cast<std::uint32_t>(s.integer(0));
  }
  if (const Status s = promote(name, before, alias, kNoTime, who + " (rollback)", now); !s) return s.error();
  return before;
}

}  // namespace driftd::stats
