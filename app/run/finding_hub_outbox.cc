// The outbox's file, as a FindingHub opens it and begins it anew when it is damaged.
#include <sqlite3.h>

#include "app/run/finding_hub.h"
#include "app/run/sqlite_store.h"
#include "core/log.h"
#include "core/sqlite_statement.h"

namespace driftd::app {

// As with state.db: a service that needs a human to start would miss all that comes meanwhile, and what is damaged
// here are messages, not data.
Status FindingHub::open_outbox() {
  telemetry_.series(Metric::kStoreDamaged, {"outbox"}).set(0);
  Status usable = connect_outbox();
  if (usable) usable = outbox_->check();
  if (usable || usable.error().code != ErrorCode::kCorrupt) return usable;
  return renew_outbox(usable.error());
}

Status FindingHub::connect_outbox() {
  if (outbox_ == nullptr) {
    auto opened = alerts::Outbox::open(options_.outbox);
    if (!opened) return opened.error();
    outbox_ = std::move(*opened);
  } else if (const Status s = outbox_->connect(); !s) {
    return s;
  }
  if (sqlite3_open(options_.outbox.c_str(), &db_) != SQLITE_OK) return sqlite_error(db_, "cannot open " + options_.outbox);
  sqlite3_busy_timeout(db_, 5000);
  return sqlite_execute(db_, "PRAGMA synchronous=FULL");
}

// Precondition: nobody uses either connection. Both must be closed before the file is moved: SQLite removes the -wal of
// its name when the last one is closed, and that would be the new file's.
Status FindingHub::renew_outbox(const Error& why) {
  if (outbox_ != nullptr) outbox_->close();
  sqlite3_close(db_);
  db_ = nullptr;
  const auto aside = set_aside(options_.outbox, clock_.now());
  if (!aside) return aside.error();
  telemetry_.series(Metric::kStoreDamaged, {"outbox"}).set(1);
  log::error(
      "the outbox is damaged; it was moved aside and begun anew: messages that were not delivered yet are lost, receivers may never hear "
      "of an alert or of its end, and what is computed again after a crash may be sent to them twice, under its id",
      {{"why", why.message}, {"moved_to", *aside}});
  return connect_outbox();
}

// Precondition: mutex_ is held, on the dispatching thread.
void FindingHub::mend_outbox() {
  if (const Status s = renew_outbox({ErrorCode::kCorrupt, outbox_damage_}); !s) {
    if (!outbox_trouble_told_) {
      log::error("the outbox is damaged and cannot be begun anew; nothing is sent and no checkpoint is written until it can",
                 {{"damage", outbox_damage_}, {"why", s.error().message}});
    }
    outbox_trouble_told_ = true;
    return;
  }
  outbox_damage_.clear();
  outbox_trouble_told_ = false;
  send({});
}

}  // namespace driftd::app
