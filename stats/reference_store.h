// ReferenceStore: references by name and version, with tags and aliases, in one SQLite file.
//
// A version is never changed or removed. An alias ("production") points to a version from an event time on,
// and its history is kept, so that a replay of older data uses what held then. Every change is one
// transaction. Several processes may use the file at the same time (WAL). Thread-safety: one call at a time
// (internal lock).
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/result.h"
#include "stats/reference.h"

struct sqlite3;

namespace driftd::stats {

struct ReferenceSummary {
  std::string name;
  std::uint32_t version = 0;
  std::string hash;
  std::vector<std::string> tags;
  std::vector<std::string> aliases;  // that point to it now
  Provenance provenance;
};

struct Promotion {
  std::int64_t id = 0;  // grows
  std::string alias;
  std::uint32_t version = 0;
  Time valid_from = 0;   // event time; kNoTime: from the beginning, or as soon as possible
  bool settled = false;  // a running driftd has taken it, and valid_from is what it did
  std::string who;
  Time at = 0;  // wall clock
};

// A version and the event time from which windows are judged against it; null: none is.
struct ReferenceEdition {
  Time from = kNoTime;
  std::shared_ptr<const Reference> reference;
};

class ReferenceStore {
 public:
  static Result<std::unique_ptr<ReferenceStore>> open(const std::string& path);
  ~ReferenceStore();

  // Stores it under its name and returns its version: a new one, or the one that has this content already
  // (its tags are added there). What it says of its own version and hash does not matter. Names and tags
  // are words (reference_name.h); a tag that another version has, or that is an alias, is an Error.
  Result<std::uint32_t> put(const Reference& reference);
  Result<Reference> get(const std::string& name, std::uint32_t version);
  // "NAME@ALIAS", "NAME@TAG", "NAME@VERSION" (also "@v3"), or "NAME": the newest. An alias means the
  // version that holds for windows starting at `at`; kNoTime: now.
  Result<Reference> resolve(const std::string& which, Time at = kNoTime);
  Result<std::vector<ReferenceSummary>> list();
  Result<std::vector<Promotion>> promotions(const std::string& name);

  // What `which` (see resolve) means over event time, oldest first, at most kEditions of the newest. An
  // alias changes with its promotions; anything else is one edition, from the beginning. With `stream`: only
  // what is settled for it. Empty when nothing is. Error{kNotFound}: there is no such thing.
  static constexpr std::size_t kEditions = 16;
  Result<std::vector<ReferenceEdition>> history(const std::string& which, const std::string& stream = "");
  // A running driftd takes the promotion for windows that start from `valid_from` on.
  Status settle(std::int64_t promotion, Time valid_from);

  // The stream runs without `which`, as it is not there. A tag or a version that comes later does not hold from the
  // beginning for it, but from when it is settled.
  Status lacks(const std::string& stream, const std::string& which);
  // Streams for which it is not settled yet.
  Result<std::vector<std::string>> lacking(const std::string& which);
  Status settle_lack(const std::string& stream, const std::string& which, Time valid_from);

  // `valid_from`: kNoTime unless somebody knows better. An alias is a word, and no tag.
  Status promote(const std::string& name, std::uint32_t version, const std::string& alias, Time valid_from, const std::string& who,
                 Time now);
  // Points the alias to the version that it had before the present one; returns it. Twice is back again.
  Result<std::uint32_t> rollback(const std::string& name, const std::string& alias, const std::string& who, Time now);

 private:
  explicit ReferenceStore(sqlite3* db) : db_(db) {}
  Result<Reference> read(const std::string& name, std::uint32_t version);
  Result<std::uint32_t> version_of(const std::string& name, const std::string& what, Time at);
  Status not_found(const std::string& name, const std::string& what);
  Result<bool> has(const std::string& name, const char* sql, const std::string& word);
  Status add_tag(const std::string& name, const std::string& tag, std::uint32_t version);
  Result<std::vector<Promotion>> read_promotions(const std::string& name);
  Status transaction(const std::function<Status()>& body);

  std::mutex mutex_;
  sqlite3* db_;
};

// A reference as one self-contained file: checksummed, with its name, tags and provenance.
std::string export_bytes(const Reference& reference);
Result<Reference> import_bytes(std::string_view bytes);

// What differs, for people; one line each.
std::vector<std::string> differences(const Reference& a, const Reference& b);

}  // namespace driftd::stats
