// Who leads a shared stream.
#include "app/run/mysql_store.h"

namespace driftd::app {
namespace {

using stats::MysqlSession;

constexpr unsigned kSeenOver = 5;

}  // namespace

Result<MysqlStore::Lease> MysqlStore::lead(const std::string& stream, const std::set<std::uint32_t>& mine) {
  const std::scoped_lock lock(mutex_);
  Lease lease = Lease::kFollows;
  const bool led = epochs_.count({stream, kMergerUnit}) != 0;
  const unsigned seen_over = seen_over_[stream];
  const Status done = transact([&]() -> Status {
    lease = Lease::kFollows;
    seen_over_[stream] = seen_over;
    if (!led) epochs_.erase({stream, kMergerUnit});  // of an attempt that was rolled back
    std::string parts;
    for (const std::uint32_t partition : mine) parts += (parts.empty() ? "" : ",") + std::to_string(partition);
    if (!parts.empty()) {
      const auto read = session_->execute("UPDATE driftd_unit SET beat=NOW(6) WHERE scope='' AND stream=" + session_->quote(stream) +
                                          " AND owner=" + session_->quote(instance_) + " AND part IN (" + parts + ")");
      if (!read) return read.error();
    }
    return try_lead(stream, lease);
  });
  if (done) return lease;
  seen_over_.erase(stream);
  // One that was taken in a transaction that may not have been committed is taken again, not found lost.
  if (!led) epochs_.erase({stream, kMergerUnit});
  return done.error();
}

Status MysqlStore::try_lead(const std::string& stream, Lease& lease) {
  const std::string row = where(stream, kMergerUnit);
  const std::string mine = session_->quote(instance_);
  const auto known = epochs_.find({stream, kMergerUnit});
  if (known != epochs_.end()) {
    const auto renewed = session_->execute("UPDATE driftd_unit SET beat=NOW(6)" + row + " AND owner=" + mine +
                                           " AND epoch=" + std::to_string(known->second));
    if (!renewed) return renewed.error();
    lease = *renewed == 1 ? Lease::kLeads : Lease::kLost;
    return {};
  }
  const auto made = session_->execute("INSERT IGNORE INTO driftd_unit SET scope='', stream=" + session_->quote(stream) +
                                      ", part=" + std::to_string(kMergerUnit) + ", owner='', epoch=0, idle=0");
  if (!made) return made.error();
  // One that was ours before a restart is free too: nobody else has this instance id.
  const auto found = session_->query("SELECT owner='' OR owner=" + mine + ", beat<NOW(6)-INTERVAL " + std::to_string(lease_ / kSecond) +
                                     " SECOND FROM driftd_unit" + row + " FOR UPDATE");
  if (!found) return found.error();
  const bool free = MysqlSession::integer((*found)[0][0]) != 0, over = MysqlSession::integer((*found)[0][1]) != 0;
  unsigned& seen = seen_over_[stream];
  seen = over ? seen + 1 : 0;
  if (!free && seen < kSeenOver) return {};
  lease = Lease::kLeads;
  return take_lease(stream);
}

Status MysqlStore::take_lease(const std::string& stream) {
  const std::string row = where(stream, kMergerUnit);
  const auto taken = session_->execute("UPDATE driftd_unit SET owner=" + session_->quote(instance_) + ", epoch=epoch+1, beat=NOW(6)" + row);
  if (!taken) return taken.error();
  const auto epoch = session_->query("SELECT epoch FROM driftd_unit" + row);
  if (!epoch) return epoch.error();
  epochs_[{stream, kMergerUnit}] = MysqlSession::integer((*epoch)[0][0]);
  return {};
}

Result<bool> MysqlStore::led_before(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  bool ours = false;
  const Status done = look([&]() -> Status {
    const auto rows = session_->query("SELECT owner FROM driftd_unit WHERE scope='' AND stream=" + session_->quote(stream) +
                                      " AND part=" + std::to_string(kMergerUnit));
    if (!rows) return rows.error();
    ours = !rows->empty() && (*rows)[0][0] == instance_;
    return {};
  });
  if (!done) return done.error();
  return ours;
}

Status MysqlStore::resign(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  const auto known = epochs_.find({stream, kMergerUnit});
  if (known == epochs_.end()) return {};
  const std::int64_t epoch = known->second;
  epochs_.erase(known);
  return transact([&]() -> Status {
    const auto done = session_->execute("UPDATE driftd_unit SET owner=''" + where(stream, kMergerUnit) +
                                        " AND owner=" + session_->quote(instance_) + " AND epoch=" + std::to_string(epoch));
    return done ? Status() : Status(done.error());
  });
}

Result<MysqlStore::Waiting> MysqlStore::waiting(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  Waiting waiting;
  const Status done = look([&]() -> Status {
    const auto rows = session_->query("SELECT closed_until, warm_from FROM driftd_unit" + where(stream, kMergerUnit));
    if (!rows) return rows.error();
    if (rows->empty()) return {};
    const auto until = time_of((*rows)[0][0]), ahead_from = time_of((*rows)[0][1]);
    if (!until || !ahead_from) {
      return (until ? ahead_from : until)
          .error()
          .at("what stream " + stream + " waits for is damaged (driftd_unit); whoever judges its windows tells it anew");
    }
    waiting = {*until, *ahead_from};
    return {};
  });
  if (!done) return done.error();
  return waiting;
}

Status MysqlStore::tell_waiting(const std::string& stream, const Waiting& waiting) {
  const std::scoped_lock lock(mutex_);
  return transact([&]() -> Status {
    const auto done = session_->execute("UPDATE driftd_unit SET closed_until=" + std::to_string(waiting.until) +
                                        ", warm_from=" + std::to_string(waiting.ahead_from) + where(stream, kMergerUnit));
    return done ? Status() : Status(done.error());
  });
}

}  // namespace driftd::app
