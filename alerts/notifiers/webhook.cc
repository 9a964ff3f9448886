// webhook: every message as a signed HTTP POST (Standard Webhooks 1.0, CloudEvents 1.0 body).
// Prefer alertmanager where one runs: it groups, silences and escalates.
#include "alerts/cloud_event.h"
#include "alerts/notifier.h"
#include "alerts/webhook_sender.h"

namespace driftd::alerts {
namespace {

class Webhook final : public Notifier {
 public:
  Webhook(WebhookSender sender, std::string source) : sender_(std::move(sender)), source_(std::move(source)) {}

  Delivery send(const Message& message, Deadline deadline) override {
    return sender_.post(message.id, cloud_event(message, source_), deadline);
  }

 private:
  WebhookSender sender_;
  std::string source_;
};

Result<std::unique_ptr<Notifier>> make(const Params& params, const NotifierContext& context) {
  auto sender = WebhookSender::make(params, context);
  if (!sender) return sender.error();
  return std::unique_ptr<Notifier>(std::make_unique<Webhook>(std::move(sender).value(), context.external_url));
}

}  // namespace

void register_webhook(NotifierRegistry& registry) {
  registry.add({.name = "webhook",
                .summary = "Posts firing, updated and resolved alerts as signed CloudEvents.",
                .applies_to = "alerts",
                .params = webhook_params(),
                .source = "Standard Webhooks 1.0; CloudEvents 1.0, HTTP binding, structured mode",
                .example = "type: webhook\nurl: https://ops.example/hook\n"
                           "secret_file: /run/secrets/hook",
                .notes = "webhook-id is the same for every attempt: receivers drop what they know. "
                         "2xx is success; 401, 403, 404, 407, 408, 421, 423, 425, 429, 5xx and no answer are tried again for "
                         "three days; 410 ends all sending; redirects and other answers (400, 405, 413, 422) are refusals, "
                         "final for that message. Files are read at each attempt, so a changed secret needs no restart. Event types "
                         "are driftd.alert.firing, driftd.alert.updated and driftd.alert.resolved."},
               make);
}

}  // namespace driftd::alerts
