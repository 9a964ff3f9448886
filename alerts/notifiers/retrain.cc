// retrain: asks any training system for a new model by one signed webhook.
// Only alerts about drift, concept drift or performance ask, and only when they start to fire.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "alerts/cloud_event.h"
#include "alerts/notifier.h"
#include "alerts/webhook_sender.h"
#include "core/text.h"

namespace driftd::alerts {
namespace {

// A name, a version and a hash, and nothing that goes deeper: dump() of a stored line that nests without end would take all
// of the stack.
bool is_flat_object(const nlohmann::ordered_json& json) {
  if (!json.is_object()) return false;
  return std::none_of(json.begin(), json.end(), [](const auto& member) { return member.is_structured(); });
}

// "reference":{...}, of the newest finding that names one; empty when none does.
std::string reference_member(const Message& message) {
  for (auto line = message.finding_lines.rbegin(); line != message.finding_lines.rend(); ++line) {
    const auto finding = nlohmann::ordered_json::parse(*line, nullptr, /*allow_exceptions=*/false);
    if (!finding.is_object() || !finding.contains("reference") || !is_flat_object(finding["reference"])) continue;
    using Json = nlohmann::ordered_json;
    return "\"reference\":" + finding["reference"].dump(-1, ' ', false, Json::error_handler_t::replace) + ",";
  }
  return {};
}

std::string members(const Message& message) {
  if (message.alerts.empty()) return {};
  const Alert& alert = message.alerts.front();  // all are of one stream and segment
  std::string out = "\"stream\":";
  append_json_string(out, alert.stream);
  out += ",\"segment\":{\"by\":";
  append_json_string(out, alert.segment.by);
  if (!alert.segment.value.empty()) {
    out += ",\"value\":";
    append_json_string(out, alert.segment.value);
  }
  return out + "}," + reference_member(message);
}

class Retrain final : public Notifier {
 public:
  Retrain(WebhookSender sender, std::string source, Duration cooldown)
      : sender_(std::move(sender)), source_(std::move(source)), cooldown_(cooldown) {}

  Delivery send(const Message& message, Deadline deadline) override {
    return sender_.post(message.id, cloud_event(message, source_, members(message)), deadline);
  }
  std::optional<Duration> retrain_cooldown() const override { return cooldown_; }

 private:
  WebhookSender sender_;
  std::string source_;
  Duration cooldown_;
};

// Without `guard:` its defaults hold too.
std::vector<ParamSpec> guard_params() {
  return {{.name = "cooldown",
           .type = ParamType::kDuration,
           .sentence = "Least time between two requests for the same stream and segment",
           .default_text = "24h",
           .min = 0,
           .max = to_seconds(90 * kDay)}};
}

Result<std::unique_ptr<Notifier>> make(const Params& params, const NotifierContext& context) {
  auto sender = WebhookSender::make(params, context);
  if (!sender) return sender.error();
  const Duration cooldown = params.has("guard") ? params.nested("guard").duration("cooldown") : kDay;
  return std::unique_ptr<Notifier>(std::make_unique<Retrain>(std::move(sender).value(), context.external_url, cooldown));
}

}  // namespace

void register_retrain(NotifierRegistry& registry) {
  std::vector<ParamSpec> params = webhook_params();
  params.push_back(
      {.name = "guard", .type = ParamType::kNode, .sentence = "What keeps requests from coming too often", .fields = guard_params()});
  registry.add({.name = "retrain",
                .summary = "Asks for retraining by a signed webhook when drift or lost performance fires.",
                .applies_to = "alerts of kind drift, concept_drift, performance",
                .params = std::move(params),
                .source = "Standard Webhooks 1.0; CloudEvents 1.0, HTTP binding, structured mode",
                .example = "type: retrain\nurl: https://train.example/start\n"
                           "secret_file: /run/secrets/train\nguard: {cooldown: 24h}",
                .notes = "Event type driftd.retrain.requested; data has stream, segment, reference, alerts and "
                         "findings. The cooldown is judged by the wall clock when the request is about to be "
                         "sent and counts from the last one that was taken; it survives restarts. A request "
                         "within it is not sent later either (result cooldown). Answers as for webhook."},
               make);
}

}  // namespace driftd::alerts
