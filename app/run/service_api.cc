#include "app/run/service_api.h"

#include <nlohmann/json.hpp>

#include "app/commands/units.h"
#include "ingest/http_intake.h"

namespace driftd::app {

exporters::Readiness ServiceApi::ready() const {
  exporters::Readiness out;
  out.reasons = service_.not_ready();
  out.ready = out.reasons.empty();
  return out;
}

std::vector<exporters::StreamView> ServiceApi::streams() const {
  std::vector<exporters::StreamView> out;
  for (const StreamStatus& s : service_.stream_status()) {
    exporters::StreamView& view = out.emplace_back();
    view.name = s.name;
    view.source = s.source;
    view.source_up = s.ready;
    view.source_detail = s.detail;
    view.lag = s.lag;
    view.watermark = s.complete_until;
    view.accepted = s.accepted;
    view.rejected = s.rejected;
    view.late = s.late;
    view.duplicate = s.duplicate;
    view.sensors = s.sensors;
    const std::shared_ptr<StreamRuntime> stream = service_.stream(s.name);
    if (stream == nullptr) continue;
    const StreamConfig& config = stream->config();
    for (const Field& field : config.schema.fields) view.fields.push_back(field.name);
    view.window = format_duration(config.windows.size);
    view.config_hash = config.hash;
    if (const auto reference = stream->reference()) view.reference = reference->name + "@" + std::to_string(reference->version);
  }
  return out;
}

Result<exporters::FindingsPage> ServiceApi::findings(const exporters::FindingsQuery& query) const {
  return service_.hub().findings().query(query);
}

std::vector<Alert> ServiceApi::alerts() const { return service_.hub().alerts(); }

Result<std::vector<exporters::ReferenceView>> ServiceApi::references() const {
  const auto store = service_.references();
  if (!store) return store.error();
  const auto all = (*store)->list();
  if (!all) return all.error();
  std::vector<exporters::ReferenceView> out;
  for (const stats::ReferenceSummary& r : *all) {
    out.push_back({r.name, r.version, r.hash, r.tags, r.aliases, r.provenance.created_at, r.provenance.rows});
  }
  return out;
}

Result<std::string> ServiceApi::reference_json(const std::string& name, const std::string& selector) const {
  const auto store = service_.references();
  if (!store) return store.error();
  const auto r = (*store)->resolve(name + "@" + selector);
  if (!r) return r.error();
  nlohmann::ordered_json body = {{"name", r->name},
                                 {"version", r->version},
                                 {"hash", r->hash},
                                 {"tags", r->tags},
                                 {"created_at", format_time(r->provenance.created_at)},
                                 {"created_by", r->provenance.created_by},
                                 {"rows", r->provenance.rows},
                                 {"rejected", r->provenance.rejected},
                                 {"sources", r->provenance.sources},
                                 {"notes", r->provenance.notes},
                                 {"window", format_duration(r->window)}};
  body["fields"] = nlohmann::ordered_json::array();
  for (const stats::FieldProfile& f : r->profile({})->fields) {
    nlohmann::ordered_json one = {
        {"name", f.name}, {"kind", to_string(f.kind)}, {"valid", f.valid}, {"null", f.missing + f.null}, {"bins", f.bins.size()}};
    if (f.moments.n != 0)
      one.update({{"mean", f.moments.mean}, {"stddev", f.moments.stddev()}, {"min", f.moments.min}, {"max", f.moments.max}});
    body["fields"].push_back(std::move(one));
  }
  return body.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::vector<exporters::UnitView> ServiceApi::units() const {
  std::vector<exporters::UnitView> out;
  for (const UnitKind& kind : unit_kinds()) {
    for (const Descriptor* unit : kind.units) out.push_back({kind.name, *unit});
  }
  return out;
}

exporters::Submission ServiceApi::submit(const std::string& stream, const std::string& body, const std::string& content_type) {
  using R = exporters::Submission::Result;
  exporters::Submission out;
  const std::shared_ptr<StreamRuntime> runtime = service_.stream(stream);
  auto* intake = runtime == nullptr ? nullptr : dynamic_cast<ingest::HttpIntake*>(runtime->source());
  if (runtime == nullptr) {
    for (const StreamStatus& s : service_.stream_status()) {
      if (s.name != stream) continue;
      out.result = R::kUnavailable;  // it will be started
      out.message = "the stream is not started: " + s.detail;
      out.retry_after = kSecond;
      return out;
    }
  }
  if (intake == nullptr) {
    out.result = R::kUnknownStream;
    out.message =
        runtime == nullptr ? "there is no such stream" : "the stream takes no records by HTTP; its source is " + runtime->config().source;
    return out;
  }
  const ingest::IntakeResult taken = intake->submit(body, content_type);
  out.accepted = taken.accepted;
  out.message = taken.message;
  out.retry_after = std::max(1U, taken.retry_after) * kSecond;
  switch (taken.status) {
    case 200:
      out.result = R::kAccepted;
      break;
    case 413:
      out.result = R::kTooLarge;
      break;
    case 415:
      out.result = R::kUnsupported;
      break;
    case 429:
      out.result = R::kFull;
      break;
    case 503:
      out.result = R::kUnavailable;
      break;
    default:
      out.result = R::kBadRequest;
      break;
  }
  return out;
}

Result<std::uint32_t> ServiceApi::promote(const exporters::Promotion& promotion) {
  const auto store = service_.references();
  if (!store) return store.error();
  const auto r = (*store)->resolve(promotion.name + "@" + promotion.version);
  if (!r) return r.error();
  const Time now = SystemClock().now();
  const Status done = (*store)->promote(r->name, r->version, promotion.alias, promotion.at.value_or(kNoTime), "api", now);
  if (!done) return done.error();
  service_.look_at_references();
  return r->version;
}

}  // namespace driftd::app
