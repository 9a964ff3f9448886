// log: one line an alert in driftd's own log. For trying things out, and beside other notifiers.
#include "core/log.h"
#include "alerts/notifier.h"
#include "core/text.h"

namespace driftd::alerts {
namespace {

class Log final : public Notifier {
 public:
  Delivery send(const Message& message, Deadline /*deadline*/) override {
    for (const Alert& alert : message.alerts) {
      const log::Pairs pairs = {{"fingerprint", alert.fingerprint},
                                {"stream", alert.stream},
                                {"kind", to_string(alert.kind)},
                                {"severity", to_string(alert.severity)},
                                {"starts_at", format_time(alert.starts_at)},
                                {"summary", excerpt(alert.summary, kShown)}};
      if (alert.state == AlertState::kFiring) {
        log::warning(message.type, pairs);
      } else {
        log::info(message.type, pairs);
      }
    }
    return {};
  }

 private:
  static constexpr std::size_t kShown = 500;
};

Result<std::unique_ptr<Notifier>> make(const Params& /*params*/, const NotifierContext& /*c*/) {
  return std::unique_ptr<Notifier>(std::make_unique<Log>());
}

}  // namespace

void register_log(NotifierRegistry& registry) {
  registry.add({.name = "log",
                .summary = "Writes each alert as one line to driftd's log.",
                .applies_to = "alerts",
                .params = {},
                .source = "driftd",
                .example = "type: log",
                .notes = "Never fails. Firing and updated alerts are warnings, resolved ones "
                         "information."},
               make);
}

}  // namespace driftd::alerts
