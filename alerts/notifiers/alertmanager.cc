// alertmanager: firing alerts to every member of an Alertmanager cluster, again and again, as its
// v2 API wants. Prometheus rules over driftd's metrics are the other, usual way; use one of the
// two.
#include <algorithm>

#include "alerts/http_client.h"
#include "alerts/notifier.h"
#include "core/text.h"
#include "core/unit_problems.h"

namespace driftd::alerts {
namespace {

constexpr Duration kLifetimes = 4;  // endsAt of a firing alert, in resends: three may be lost
constexpr std::size_t kShownFindings = 3;

const char* alert_name(FindingKind kind) {
  switch (kind) {
    case FindingKind::kQuality:
      return "DriftdQuality";
    case FindingKind::kFault:
      return "DriftdFault";
    case FindingKind::kDrift:
      return "DriftdDrift";
    case FindingKind::kConceptDrift:
      return "DriftdConceptDrift";
    case FindingKind::kPerformance:
      return "DriftdPerformance";
  }
  return "Driftd";
}

// Writes `"key":"value"` members; those with an empty value do not exist for Alertmanager.
class Members {
 public:
  explicit Members(std::string& out) : out_(out) { out_ += '{'; }
  ~Members() { out_ += '}'; }
  Members(const Members&) = delete;
  Members& operator=(const Members&) = delete;

  void add(const char* key, const std::string& value) {
    if (value.empty()) return;
    if (out_.back() != '{') out_ += ',';
    append_json_string(out_, key);
    out_ += ':';
    append_json_string(out_, value);
  }

 private:
  std::string& out_;
};

std::string description(const Alert& alert) {
  std::string out = "Bad since " + format_time(alert.starts_at) + ", last seen " + format_time(alert.last_seen) + ".";
  const std::size_t n = alert.findings.size();
  if (n == 0) return out;
  const std::size_t first = n - std::min(n, kShownFindings);
  const auto from = alert.findings.begin() + static_cast<std::ptrdiff_t>(first);
  return out + " Newest findings: " + join({from, alert.findings.end()}) + ".";
}

class Alertmanager final : public Notifier {
 public:
  Alertmanager(std::vector<std::string> urls, std::string ca_file, Duration resend, const NotifierContext& context)
      : urls_(std::move(urls)),
        ca_file_(std::move(ca_file)),
        resend_(resend),
        external_url_(context.external_url),
        clock_(context.clock),
        targets_(context.targets),
        stop_(context.stop) {}

  Delivery send(const Message& message, Deadline deadline) override {
    const std::string body = payload(message);
    std::vector<Delivery> outcomes;
    for (std::size_t i = 0; i < urls_.size(); ++i) {
      // A member that hangs may use its share of the time, not that of those behind it.
      const auto share = deadline.left() / static_cast<Duration>(urls_.size() - i);
      const HttpRequest request{.url = urls_[i] + "/api/v2/alerts",
                                .headers = {{"Content-Type", "application/json"}},
                                .body = body,
                                .ca_file = ca_file_,
                                .targets = targets_,
                                .stop = stop_};
      outcomes.push_back(delivery_of(http_post(request, Deadline::after(share))));
      outcomes.back().detail = origin_of(urls_[i]) + ": " + outcomes.back().detail;
    }
    // Best outcome first: delivered, retry, rejected, gone.
    return *std::min_element(outcomes.begin(), outcomes.end(), [](const auto& a, const auto& b) { return a.result < b.result; });
  }

  Duration resend_every() const override { return resend_; }

 private:
  std::string payload(const Message& message) const {
    std::string out = "[";
    for (const Alert& alert : message.alerts) {
      if (out.size() > 1) out += ',';
      append(out, alert, message.created_at);
    }
    return out + "]";
  }

  void append(std::string& out, const Alert& alert, Time created_at) const {
    const bool resolved = alert.state == AlertState::kResolved;
    // Alertmanager's own clock may be right: by one that is behind, what fires would be over as it is told. What is over
    // must be so by either.
    const Clock::Reading clock = clock_->read();
    const Time now = clock.now + (resolved ? 0 : clock.behind.least);
    const Time starts = std::min(alert.starts_at, now);
    const Time ends = resolved ? std::max(starts, std::min(created_at, now)) : now + kLifetimes * resend_;
    out += "{\"labels\":";
    {
      Members labels(out);
      labels.add("alertname", alert_name(alert.kind));
      labels.add("stream", alert.stream);
      labels.add("segment_by", alert.segment.by);
      labels.add("segment", alert.segment.value);
      labels.add("severity", to_string(alert.severity));
      labels.add("kind", to_string(alert.kind));
      labels.add("check", alert.check);
      labels.add("field", alert.field);
    }
    out += ",\"annotations\":";
    {
      Members annotations(out);
      annotations.add("summary", alert.summary);
      annotations.add("description", description(alert));
    }
    out += ",\"startsAt\":\"" + format_time(starts) + "\",\"endsAt\":\"" + format_time(ends) + "\"";
    if (!external_url_.empty()) {
      out += ",\"generatorURL\":";
      append_json_string(out, external_url_);
    }
    out += '}';
  }

  std::vector<std::string> urls_;
  std::string ca_file_;
  Duration resend_;
  std::string external_url_;
  const Clock* clock_;
  Targets targets_;
  StopFlag stop_;
};

Result<std::unique_ptr<Notifier>> make(const Params& params, const NotifierContext& context) {
  std::vector<std::string> urls = params.texts("urls");
  UnitProblems problems(params, context.problems, "");
  if (urls.empty()) problems.add("urls", "urls names no member");
  for (std::size_t i = 0; i < urls.size(); ++i) {
    if (const Status s = check_target(urls[i], context.targets); !s) problems.add(item_of(params, "urls", i), s.error().message);
    while (urls[i].ends_with('/')) urls[i].pop_back();
  }
  if (context.reads_files) problems.add_unfit_authority(params, "ca_file");
  if (problems.done()) return problems.result<Notifier>();
  return std::unique_ptr<Notifier>(
      std::make_unique<Alertmanager>(std::move(urls), params.text("ca_file"), params.duration("resend"), context));
}

}  // namespace

void register_alertmanager(NotifierRegistry& registry) {
  registry.add({.name = "alertmanager",
                .summary = "Keeps Alertmanager told of what is firing, and tells it what is over.",
                .applies_to = "alerts",
                .params = {{.name = "urls",
                            .type = ParamType::kTextList,
                            .sentence = "Base URLs of all members of the cluster, with their route prefix",
                            .required = true},
                           {.name = "resend",
                            .type = ParamType::kDuration,
                            .sentence = "How often firing alerts are sent again; they end by themselves after "
                                        "four times this",
                            .default_text = "1m",
                            .min = 1,
                            .max = 3600},
                           {.name = "ca_file", .sentence = "PEM file of the authorities to trust instead of the system's"}},
                .source = "Alertmanager API v2, POST /api/v2/alerts",
                .example = "type: alertmanager\nurls: [http://localhost:9093]",
                .notes = "Labels: alertname (DriftdQuality, DriftdFault, DriftdDrift, DriftdConceptDrift, "
                         "DriftdPerformance), stream, segment_by, segment, severity, kind, and check and field "
                         "when group_by names them; never a value. startsAt is event time, or now when that is "
                         "earlier; endsAt is wall-clock time: four resends ahead while firing (by the time as "
                         "it ran before the clock was set back, where it was), the time of "
                         "resolving afterwards, sent again for 5 minutes. Delivered when one member took it; "
                         "the others get it with the next resend. When the severity rises, the alert with the "
                         "old label ends by itself."},
               make);
}

}  // namespace driftd::alerts
