// FindingHub: where the findings of all streams arrive: the findings log, the newest ones for the API, the
// alert book and the outbox.
//
// take() is called by the streams' workers; it is serialised by the hub's lock, the last in the order of
// locks. Outbox rows are written at once, before the checkpoint that has their alert states: their ids depend
// on findings only, so what is computed again after a crash is recognised there (docs/RELIABILITY.md).
//
// An outbox that is damaged, when it is opened or later, is moved aside and begun anew, with an error in the log and
// driftd_store_damaged: what it had not delivered is lost, but judging, checkpoints and later messages go on.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
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
  // False: what is known here of alerts may be old, so nobody is told anything now; it is asked again soon. Null: it never is.
  // Thread-safe.
  std::function<bool()> current{};
};

// What of the stream is judged, for the alert book.
alerts::Judged judged_of(const StreamConfig& stream);

// What an `alerts:` section comes to.
struct AlertSetup {
  alerts::AlertRules rules;
  alerts::Router router;
  std::vector<alerts::Receiver> receivers;
  std::shared_ptr<std::atomic<bool>> stop;  // ends what the receivers do
};

class FindingHub {
 public:
  // `state` is what save() wrote at the checkpoint that driftd goes on from, to which the findings log is cut
  // back; empty: there was none yet. nullopt: it is lost: no alerts, and the log goes on from its end.
  static Result<std::unique_ptr<FindingHub>> make(HubOptions options, const alerts::AlertsConfig& alerts,
                                                  std::optional<std::string_view> state, Telemetry& telemetry, const Clock& clock);
  // Whether make() would take it.
  static Status try_state(std::string_view state);
  ~FindingHub();

  // Everything that can fail in a change of the configuration; touches nothing.
  Result<AlertSetup> prepare(const alerts::AlertsConfig& alerts, const std::string& external_url) const;
  // Rules, routes and receivers from now on; cannot fail. Alerts stay. Receivers that are new to an alert
  // that fires are told of it; what waits for receivers that are gone is dropped; a message that is being
  // sent is given up and sent anew, under its id.
  void apply(AlertSetup setup);

  void take(ClosedWindow closed);
  // A stream that is no longer configured: its alerts end and its series go.
  void forget(const std::string& stream);
  // The same for all streams but these.
  void forget_others(const std::vector<std::string>& streams);
  // At the start: the stream's windows are judged by the configuration by which those of the state were. What a merger that is
  // behind them computes again is not taken again.
  void go_on(const StreamConfig& stream);
  // What of the stream is judged from now on: alerts about anything else end.
  void configure(const StreamConfig& stream);

  // A stream that several driftd share: its alerts are with the one that judges its windows. alerts_of() is what that
  // one puts into the store, adopt() takes it up there (empty: there are none yet). drop() forgets them without a word, before dispatch();
  // with `others_told`, because another one has led since, receivers that take states are not told what was over here any more: it
  // has told them newer states.
  std::string alerts_of(const std::string& stream) const;
  Status adopt(const StreamConfig& stream, std::string_view alerts);
  void drop(const std::string& stream, bool others_told);

  // Writes positions and alert states. An Error: there must be no checkpoint now, as findings are not in the log, or messages of
  // these alert states not in the outbox; a crash would lose them.
  Status save(ByteWriter& out);
  // Before what save() wrote is stored: makes durable what was in the log then. Errors as there.
  Status sync();
  // The end of the newest window of the stream that was taken here; kNoTime: none.
  Time judged_until(const std::string& stream) const;

  std::vector<Alert> alerts() const;
  const exporters::FindingsRing& findings() const { return ring_; }
  // Why findings cannot be written now; empty: they can.
  std::string trouble() const;

  // Delivers until stop_dispatch(), which ends it within 0.2 s whatever the receivers do; runs on a thread
  // of its own.
  void dispatch();
  void stop_dispatch();

 private:
  FindingHub(HubOptions options, alerts::AlertRules rules, Telemetry& telemetry, const Clock& clock);
  Status append(const std::vector<Finding>& findings);
  Status in_log(Status done);
  void tell(const std::vector<alerts::AlertEvent>& events);
  void send(std::vector<alerts::Outgoing> messages);
  // finding_hub_outbox.cc
  Status open_outbox();
  Status connect_outbox();
  Status renew_outbox(const Error& why);
  void mend_outbox();
  void drop_orphans(const alerts::Router& router);

  HubOptions options_;
  Telemetry& telemetry_;
  const Clock& clock_;
  exporters::FindingsRing ring_;

  mutable std::mutex mutex_;
  std::unique_ptr<exporters::FindingsLog> log_;
  alerts::AlertBook book_;
  std::map<std::string, Time> newest_;         // by stream: end of the newest window taken
  std::map<std::string, std::string> hashes_;  // by stream: of the configuration by which it was taken
  std::unique_ptr<alerts::Router> router_;
  sqlite3* db_ = nullptr;
  std::string trouble_;
  std::vector<alerts::Outgoing> unsent_;  // could not be put into the outbox yet, oldest first
  bool put_fails_ = false;                // logged; once until it works again
  std::string outbox_damage_;             // what is damaged; empty: nothing is known
  bool outbox_trouble_told_ = false;      // that it cannot be renewed; once
  bool active_changed_ = true;
  bool wake_ = false;
  bool stop_ = false;
  std::condition_variable changed_;

  std::unique_ptr<alerts::Outbox> outbox_;  // of the dispatching thread, as is dispatcher_
  std::unique_ptr<alerts::Dispatcher> dispatcher_;
  std::unique_ptr<alerts::Dispatcher> next_;         // takes dispatcher_'s place
  std::shared_ptr<std::atomic<bool>> stop_sending_;  // of the newest of the two
};

}  // namespace driftd::app
