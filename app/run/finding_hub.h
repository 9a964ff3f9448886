// FindingHub: where the findings of all streams arrive: the findings log, the newest ones for the API, the
// alert book and the outbox.
//
// take() is called by the streams' workers; it is serialised by the hub's lock, the last in the order of
// locks. Outbox rows are written at once: their ids depend on findings only, so what is computed again
// after a crash is recognised there.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "alerts/alert_config.h"
#include "alerts/dispatcher.h"
#include "app/engine/merger.h"
#include "core/clock.h"
#include "core/telemetry.h"
#include "exporters/findings_log.h"
#include "exporters/findings_ring.h"

struct sqlite3;

namespace driftd::app {

struct HubOptions {
  std::string findings_log;
  std::uint64_t findings_max_size = 256ULL << 20;
  std::string outbox;  // SQLite file
  std::string external_url;
};

class FindingHub {
 public:
  // `state` is what save() wrote at the newest checkpoint; empty: none.
  static Result<std::unique_ptr<FindingHub>> make(HubOptions options, const alerts::AlertsConfig& alerts, std::string_view state,
                                                  Telemetry& telemetry, const Clock& clock);
  ~FindingHub();

  void take(ClosedWindow closed);
  // A stream that is no longer configured: its alerts end.
  void forget(const std::string& stream);

  // Makes the log durable and writes positions and alert states.
  void save(ByteWriter& out);

  std::vector<Alert> alerts() const;
  const exporters::FindingsRing& findings() const { return ring_; }
  // Why findings cannot be written now; empty: they can.
  std::string trouble() const;

  // Delivers until stop_dispatch(); runs on a thread of its own.
  void dispatch();
  void stop_dispatch();

 private:
  FindingHub(HubOptions options, alerts::AlertRules rules, Telemetry& telemetry, const Clock& clock);
  Status append(const std::vector<Finding>& findings);
  void tell(const std::vector<alerts::AlertEvent>& events);

  HubOptions options_;
  Telemetry& telemetry_;
  const Clock& clock_;
  exporters::FindingsRing ring_;

  mutable std::mutex mutex_;
  std::unique_ptr<exporters::FindingsLog> log_;
  alerts::AlertBook book_;
  std::unique_ptr<alerts::Router> router_;
  sqlite3* db_ = nullptr;
  std::string trouble_;
  std::vector<alerts::Outgoing> unsent_;  // could not be put into the outbox yet
  bool active_changed_ = true;
  bool wake_ = false;
  bool stop_ = false;
  std::condition_variable changed_;

  std::unique_ptr<alerts::Outbox> outbox_;
  std::unique_ptr<alerts::Dispatcher> dispatcher_;
};

}  // namespace driftd::app
