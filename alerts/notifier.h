// Notifier: carries one message to one receiver, once. It classifies what happened; the shared
// stage (alerts/outbox) keeps the message, waits and tries again.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "alerts/target_policy.h"
#include "core/alert.h"
#include "core/clock.h"
#include "core/registry.h"
#include "core/result.h"
#include "core/telemetry.h"

namespace driftd::alerts {

// What goes to a notifier: alerts of one group, all for the same route. Built from an outbox row,
// so it is the same after a restart.
struct Message {
  std::string id;         // idempotency key, the same for every attempt; has no "."
  std::string type;       // "alert.firing", "alert.updated", "alert.resolved", "retrain.requested"
  std::string group_key;  // labels of the group, values quoted: stream="pumps",segment="site=a"
  Time created_at = 0;    // wall clock
  unsigned attempt = 1;   // 1, 2, ...
  std::vector<Alert> alerts;
  std::vector<std::string> finding_lines;  // JSON of the newest findings behind the alerts, capped
};

struct Delivery {
  enum class Result { kDelivered, kRetry, kRejected, kGone };
  Result result = Result::kDelivered;
  Duration after = 0;  // kRetry: do not try before this (Retry-After); 0: as the schedule says
  std::string detail;  // for logs and `driftd outbox list`; no secrets
};

class Notifier {
 public:
  virtual ~Notifier() = default;
  // Blocks until the deadline or the context's stop flag at most; then the outcome is kRetry. Never
  // throws. Called from one thread.
  virtual Delivery send(const Message& message, Deadline deadline) = 0;
  // Receives the alerts that are firing (and recently resolved) again and again, as Alertmanager
  // wants; zero: each message once.
  virtual Duration resend_every() const { return 0; }
  // Set: asks for retraining. It receives "retrain.requested" messages only, at most one delivered
  // for a stream and segment within this time.
  virtual std::optional<Duration> retrain_cooldown() const { return std::nullopt; }
};

// Set by another thread: driftd stops or is reloaded, so whatever blocks in send() ends at once.
using StopFlag = std::shared_ptr<const std::atomic<bool>>;
inline bool is_set(const StopFlag& stop) { return stop != nullptr && *stop; }

struct NotifierContext {
  std::string name;          // of the notifier in the configuration
  std::string external_url;  // where driftd's page is reachable, for links
  Telemetry* telemetry = nullptr;
  const Clock* clock = nullptr;
  Targets targets = {};  // where it may connect to; null: as without a list
  StopFlag stop = {};    // null: never
  // For reading the configuration: the factory adds everything that is wrong here, each at its place, and what it returns is
  // not used. With `reads_files` that is files of secrets and certificates too.
  ErrorList* problems = nullptr;
  bool reads_files = false;
};

using NotifierFactory = std::function<Result<std::unique_ptr<Notifier>>(const Params& params, const NotifierContext& context)>;
using NotifierRegistry = Registry<NotifierFactory>;

// All notifiers of alerts/notifiers.def.
const NotifierRegistry& notifiers();

}  // namespace driftd::alerts
