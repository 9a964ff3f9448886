// Outbox: messages that must arrive, in SQLite, from the moment they are decided until long after.
//
// Rows are put in the caller's transaction, before the checkpoint that has the state that made them: these are two
// files, and a kill between them is mended by computing the same again (docs/RELIABILITY.md). A row is named by the
// message's id; putting it again does nothing while the row is known, and finished rows stay known for 7 days. Delivery
// is at least once: what was sent but not marked when the process died is sent again with the same id.
//
// Messages of one receiver and group are delivered in the order in which they were put, whatever the clock did
// meanwhile; one that waits for its next attempt holds those behind it.
//
// Waits follow Standard Webhooks, denser at first: at once, then 5 s, 15 s, 1 min, 5 min, 15 min,
// 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h after the attempt before, each +-20 % (by a hash of id
// and attempt); a longer Retry-After wins. After the thirteenth attempt the message is dropped. Nothing that waits is
// dropped for its age: a clock that jumps, or a driftd that was away, says nothing about what receivers were told. A
// wait that is longer than any of these can only come from a clock that was turned back; such a row is due at once. A
// damaged row is logged and dropped.
//
// Bound: kMaxRows. At it, the oldest finished rows go first. When all rows are pending, the receiver that has the most
// of them pays, so that one that is down for weeks does not silence the others: its new messages are refused, and a
// message to another one takes the place of its newest. Both are counted and logged. Thread-safety: none an object; put() and an Outbox on
// the same file may run at the same time (WAL).
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alerts/outbox_row.h"
#include "alerts/router.h"
#include "core/result.h"
#include "core/telemetry.h"

struct sqlite3;

namespace driftd::alerts {

class Outbox {
 public:
  static constexpr std::size_t kMaxRows = 10000;
  static constexpr Duration kKeepFinished = 7 * kDay;
  static constexpr Duration kMaxCooldown = 90 * kDay;  // sent times older than this are forgotten

  // Makes the tables where they are missing or of an older format; any open connection. Idempotent.
  static Status create_tables(sqlite3* db);

  // Adds the messages that are not known yet, in their order, within the caller's transaction. Refused ones, and those
  // that gave their place, are counted (driftd_outbox_dropped_total reason full), as are those that wait then
  // (driftd_outbox_pending). Returns how many were added.
  static Result<std::size_t> put(sqlite3* db, const std::vector<Outgoing>& messages, Time now, Telemetry& telemetry,
                                 std::size_t max_rows = kMaxRows);

  // Drops pending messages to all but these receivers; returns how many. On any open connection.
  static Result<std::size_t> drop_others(sqlite3* db, const std::vector<std::string>& receivers, Time now);

  // An own connection to the file, made when missing. kCorrupt: it is no database, or its tables cannot be read.
  // kInvalidArgument: a newer driftd wrote it.
  static Result<std::unique_ptr<Outbox>> open(const std::string& path);
  // Ends the connection, so that another file can take the place of this one; until connect() every call fails.
  void close();
  Status connect();
  // Whether the structure of the file is sound; reads all of its pages. kCorrupt: it is not.
  Status check();
  ~Outbox();
  Outbox(const Outbox&) = delete;
  Outbox& operator=(const Outbox&) = delete;

  // Pending rows of the receiver whose time has come, oldest first.
  Result<std::vector<OutboxRow>> due(const std::string& receiver, Time now, std::size_t limit);
  // Rows of the receiver that are pending, or were delivered after `since`; oldest first.
  Result<std::vector<OutboxRow>> current(const std::string& receiver, Time since, Time now);
  // When the receiver's next pending row is due; nullopt when it has none.
  Result<std::optional<Time>> next_due(const std::string& receiver);
  Result<std::size_t> pending();
  // When the newest row was put; 0: there is none.
  Result<Time> newest();
  // What is pending and due later than `now` is due now.
  Status hurry(Time now);

  // Records what an attempt came to, and returns the row's state after it.
  Result<RowState> mark(const std::string& id, const Delivery& delivery, Time now);
  // Ends a pending row without an attempt.
  Status finish(const std::string& id, RowState state, const std::string& detail, Time now);

  // When the receiver was last sent a message of this group (see remember_sent).
  Result<std::optional<Time>> last_sent(const std::string& receiver, const std::string& group_key);
  Status remember_sent(const std::string& receiver, const std::string& group_key, Time now);

  // Forgets finished rows after kKeepFinished, and sent times after kMaxCooldown.
  Status prune(Time now);

  // For operators. list: newest first. replay: pending again, from the first attempt, also when it
  // was delivered. drop: never sent again. Both fail with kNotFound on an unknown id.
  Result<std::vector<OutboxRow>> list(std::size_t limit, Time now);
  Status replay(const std::string& id, Time now);
  Status drop(const std::string& id, Time now);

 private:
  explicit Outbox(std::string path) : path_(std::move(path)) {}
  const std::string path_;
  sqlite3* db_ = nullptr;
};

// How long to wait after attempt number `attempt` (from 1) of a message failed; nullopt: give up.
std::optional<Duration> retry_wait(const std::string& id, unsigned attempt);

}  // namespace driftd::alerts
