// The HTTP API: requests to what the service knows, answers as JSON.
#include <nlohmann/json.hpp>

#include "app/commands/units.h"
#include "app/run/page.h"
#include "app/run/service.h"
#include "core/text.h"
#include "exporters/prometheus.h"
#include "ingest/http_intake.h"

namespace driftd::app {
namespace {

using exporters::problem;
using exporters::Request;
using exporters::Response;
using Json = nlohmann::ordered_json;

Response json(const Json& body, int status = 200) {
  return {status, "application/json", body.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n"};
}

Response text(int status, const std::string& body) { return {status, "text/plain; charset=utf-8", body + "\n"}; }

Response ready(Service& service) {
  const std::vector<std::string> why = service.not_ready();
  return why.empty() ? text(200, "ready") : text(503, "not ready: " + join(why, "; "));
}

Response streams(Service& service) {
  Json list = Json::array();
  for (const StreamStatus& s : service.stream_status()) {
    Json one = {{"name", s.name},         {"source", s.source}, {"ready", s.ready},           {"accepted", s.accepted},
                {"rejected", s.rejected}, {"late", s.late},     {"partitions", s.partitions}, {"sensors", s.sensors}};
    if (!s.ready) one["detail"] = s.detail;
    if (s.complete_until != kNoTime) one["complete_until"] = format_time(s.complete_until);
    list.push_back(std::move(one));
  }
  return json({{"streams", list}});
}

Response findings(Service& service, const Request& request) {
  exporters::FindingsQuery query;
  if (const std::string* v = request.query_value("stream")) query.stream = *v;
  if (const std::string* v = request.query_value("since")) {
    query.since = parse_time(*v);
    if (!query.since) return problem(400, "since must be a time as 2026-01-01T00:00:00Z");
  }
  if (const std::string* v = request.query_value("verdict")) {
    query.verdict = verdict(*v);
    if (!query.verdict) return problem(400, "verdict must be ok, warn, fail or no_verdict");
  }
  if (const std::string* v = request.query_value("limit")) {
    const auto n = parse_integer(*v);
    if (!n || *n < 1 || *n > 1000) return problem(400, "limit must be from 1 to 1000");
    query.limit = static_cast<std::size_t>(*n);
  }
  if (const std::string* v = request.query_value("cursor")) {
    const auto n = parse_integer(*v);
    if (!n || *n < 1) return problem(400, "this is no cursor of an earlier answer");
    query.before = static_cast<std::uint64_t>(*n);
  }
  const exporters::FindingsPage page = service.hub().findings().query(query);
  std::string body = "{\"findings\":[" + join(page.lines, ",") + "]";
  if (page.cursor) body += ",\"cursor\":\"" + std::to_string(*page.cursor) + "\"";
  return {200, "application/json", body + "}\n"};
}

Response alerts_list(Service& service) {
  std::vector<std::string> lines;
  for (const Alert& alert : service.hub().alerts()) append_json(lines.emplace_back(), alert);
  return {200, "application/json", "{\"alerts\":[" + join(lines, ",") + "]}\n"};
}

Json reference_json(const stats::ReferenceSummary& r) {
  return {{"name", r.name},
          {"version", r.version},
          {"hash", r.hash},
          {"tags", r.tags},
          {"aliases", r.aliases},
          {"rows", r.provenance.rows},
          {"created_at", format_time(r.provenance.created_at)},
          {"created_by", r.provenance.created_by}};
}

int http_status(const Error& error) {
  switch (error.code) {
    case ErrorCode::kNotFound: return 404;
    case ErrorCode::kInvalidArgument: return 400;
    case ErrorCode::kUnavailable: return 503;
    default: return 500;
  }
}

Response references(Service& service) {
  const auto all = service.references().list();
  if (!all) return problem(http_status(all.error()), all.error().message);
  Json list = Json::array();
  for (const auto& r : *all) list.push_back(reference_json(r));
  return json({{"references", list}});
}

Response reference(Service& service, const Request& request) {
  const auto r = service.references().resolve(request.param("which"));
  if (!r) return problem(http_status(r.error()), r.error().message);
  stats::ReferenceSummary summary{r->name, r->version, r->hash, r->tags, {}, r->provenance};
  Json body = reference_json(summary);
  body["sources"] = r->provenance.sources;
  Json fields = Json::array();
  for (const stats::FieldProfile& f : r->profile({})->fields) {
    Json one = {{"name", f.name}, {"kind", to_string(f.kind)}, {"valid", f.valid}, {"null", f.missing + f.null}, {"bins", f.bins.size()}};
    if (f.moments.n != 0) one.update({{"mean", f.moments.mean}, {"stddev", f.moments.stddev()}, {"min", f.moments.min}, {"max", f.moments.max}});
    fields.push_back(std::move(one));
  }
  body["fields"] = std::move(fields);
  return json(body);
}

Response promote(Service& service, const Request& request) {
  const Json body = Json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("version") || !body["version"].is_number_unsigned()) {
    return problem(400, "send {\"version\": N, \"alias\": \"production\"}");
  }
  const std::string alias = body.contains("alias") && body["alias"].is_string() ? body["alias"].get<std::string>() : "production";
  const Time now = SystemClock().now();
  const Status done = service.references().promote(request.param("name"), body["version"].get<std::uint32_t>(), alias, now, "api", now);
  if (!done) return problem(http_status(done.error()), done.error().message);
  service.ask_reload();
  return json({{"name", request.param("name")}, {"version", body["version"]}, {"alias", alias}, {"valid_from", format_time(now)}});
}

Response units() {
  Json body = Json::object();
  for (const UnitKind& kind : unit_kinds()) {
    Json list = Json::array();
    for (const Descriptor* unit : kind.units) list.push_back({{"name", unit->name}, {"summary", unit->summary}, {"applies_to", unit->applies_to}});
    body[kind.plural] = std::move(list);
  }
  return json(body);
}

Response records(Service& service, const Request& request) {
  const std::shared_ptr<StreamRuntime> stream = service.stream(request.param("stream"));
  if (stream == nullptr) return problem(404, "there is no stream '" + excerpt(request.param("stream"), 60) + "'");
  auto* intake = dynamic_cast<ingest::HttpIntake*>(stream->source());
  if (intake == nullptr) return problem(409, "stream " + stream->plan().config.name + " does not take records by HTTP; its source is " + stream->plan().config.source);
  const std::string* type = request.header("content-type");
  const ingest::IntakeResult taken = intake->submit(request.body, type == nullptr ? "application/json" : *type);
  if (taken.status == 200) return json({{"accepted", taken.accepted}});
  Response refused = problem(taken.status, taken.message);
  if (taken.retry_after > 0) refused.headers.emplace_back("Retry-After", std::to_string(taken.retry_after));
  return refused;
}

}  // namespace

exporters::Router api_router(Service& service) {
  exporters::Router router;
  const auto get = [&](const char* pattern, auto handler) {
    router.add({"GET"}, pattern, [&service, handler](const Request& request) { return handler(service, request); });
  };
  using R = const Request&;
  get("/", [](Service&, R) {
    return Response{200, "text/html; charset=utf-8", kPage,
                    {{"Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'"}}};
  });
  get("/metrics", [](Service& s, R) { return Response{200, "text/plain; version=0.0.4; charset=utf-8", exporters::prometheus_text(s.telemetry())}; });
  for (const char* path : {"/-/healthy", "/healthz"}) get(path, [](Service&, R) { return text(200, "healthy"); });
  for (const char* path : {"/-/ready", "/readyz"}) get(path, [](Service& s, R) { return ready(s); });
  get("/api/v1/streams", [](Service& s, R) { return streams(s); });
  get("/api/v1/findings", [](Service& s, R r) { return findings(s, r); });
  get("/api/v1/alerts", [](Service& s, R) { return alerts_list(s); });
  get("/api/v1/references", [](Service& s, R) { return references(s); });
  get("/api/v1/references/{which}", [](Service& s, R r) { return reference(s, r); });
  get("/api/v1/units", [](Service&, R) { return units(); });
  router.add({"POST", "PUT"}, "/-/reload", [&service](const Request&) {
    service.ask_reload();
    return text(202, "reload asked for; see the log and driftd_config_last_reload_successful");
  });
  router.add({"POST"}, "/api/v1/streams/{stream}/records", [&service](const Request& r) { return records(service, r); });
  router.add({"POST"}, "/api/v1/references/{name}/promote", [&service](const Request& r) { return promote(service, r); });
  return router;
}

}  // namespace driftd::app
