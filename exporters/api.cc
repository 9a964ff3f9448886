#include "exporters/api.h"

#include <nlohmann/json.hpp>

#include "core/params.h"
#include "core/text.h"
#include "exporters/api_query.h"
#include "exporters/page.h"
#include "exporters/prometheus.h"

namespace driftd::exporters {
namespace {

using Json = nlohmann::ordered_json;

Response json_response(const Json& json) {
  // Texts that came from data may be no UTF-8; they are shown with replacement characters.
  return {200, "application/json", json.dump(-1, ' ', false, Json::error_handler_t::replace)};
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return 400;
    case ErrorCode::kNotFound:
      return 404;
    case ErrorCode::kAlreadyExists:
      return 409;
    case ErrorCode::kExhausted:
      return 429;
    case ErrorCode::kUnavailable:
      return 503;
    case ErrorCode::kCorrupt:
    case ErrorCode::kIo:
    case ErrorCode::kInternal:
      return 500;
  }
  return 500;
}

Response problem_of(const Error& error) { return problem(status_of(error.code), error.message); }

void put_time(Json& json, const char* key, Time time) {
  if (time != kNoTime) json[key] = format_time(time);
}

void put_text(Json& json, const char* key, const std::string& text) {
  if (!text.empty()) json[key] = text;
}

Json json_of(const StreamView& stream) {
  Json source = {{"type", stream.source}, {"up", stream.source_up}};
  put_text(source, "detail", stream.source_detail);
  if (stream.lag) source["lag"] = *stream.lag;
  Json json = {{"name", stream.name}, {"source", source}, {"fields", stream.fields}};
  put_text(json, "window", stream.window);
  put_text(json, "reference", stream.reference);
  put_text(json, "config_hash", stream.config_hash);
  put_time(json, "watermark", stream.watermark);
  json["records"] = {{"accepted", stream.accepted}, {"rejected", stream.rejected}, {"late", stream.late}, {"duplicate", stream.duplicate}};
  json["sensors"] = stream.sensors;
  return json;
}

Json json_of(const ReferenceView& reference) {
  Json json = {{"name", reference.name}, {"version", reference.version}, {"hash", reference.hash},
               {"tags", reference.tags}, {"aliases", reference.aliases}, {"rows", reference.rows}};
  put_time(json, "created_at", reference.created_at);
  return json;
}

Json json_of(const ParamSpec& spec) {
  Json json = {{"name", spec.name}, {"type", to_string(spec.type)}, {"sentence", spec.sentence}};
  if (spec.required) json["required"] = true;
  put_text(json, "default", spec.default_text);
  if (spec.min) json["min"] = *spec.min;
  if (spec.max) json["max"] = *spec.max;
  if (!spec.choices.empty()) json["choices"] = spec.choices;
  for (const ParamSpec& field : spec.fields) json["fields"].push_back(json_of(field));
  return json;
}

Json json_of(const UnitView& unit) {
  const Descriptor& d = unit.descriptor;
  Json json = {{"kind", unit.kind},          {"name", d.name},     {"summary", d.summary},
               {"applies_to", d.applies_to}, {"source", d.source}, {"example", d.example}};
  put_text(json, "notes", d.notes);
  json["params"] = Json::array();
  for (const ParamSpec& spec : d.params) json["params"].push_back(json_of(spec));
  json["reasons"] = Json::array();
  for (const Reason& r : d.reasons) {
    json["reasons"].push_back({{"word", r.word}, {"meaning", r.meaning}});
  }
  return json;
}

template <class T>
Response list(const char* key, const std::vector<T>& items) {
  Json json = {{key, Json::array()}};
  for (const T& item : items) json[key].push_back(json_of(item));
  return json_response(json);
}

// Findings and alerts have their JSON form in core, the same as in files.
template <class T>
void append_list(std::string& out, const char* key, const std::vector<T>& items) {
  append_json_string(out, key);
  out += ":[";
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i != 0) out += ',';
    append_json(out, items[i]);
  }
  out += ']';
}

Response ready(const ApiSource& source) {
  const Readiness readiness = source.ready();
  if (readiness.ready) return {200, "text/plain; charset=utf-8", "driftd is ready.\n"};
  Response response = problem(503, "driftd is not ready: " + join(readiness.reasons, "; "));
  response.body.pop_back();
  response.body += ",\"reasons\":" + Json(readiness.reasons).dump(-1, ' ', false, Json::error_handler_t::replace) + "}";
  return response;
}

Response findings(const ApiSource& source, const Request& request) {
  auto query = read_findings_query(request);
  if (auto* wrong = std::get_if<Response>(&query)) return std::move(*wrong);
  const Result<FindingsPage> page = source.findings(std::get<FindingsQuery>(query));
  if (!page) return problem_of(page.error());
  std::string body = "{";
  append_list(body, "findings", page.value().findings);
  if (!page.value().next.empty()) {
    body += ",\"next_cursor\":";
    append_json_string(body, page.value().next);
  }
  return {200, "application/json", body + "}"};
}

Response alerts(const ApiSource& source) {
  std::string body = "{";
  append_list(body, "alerts", source.alerts());
  return {200, "application/json", body + "}"};
}

Response reference(const ApiSource& source, const Request& request) {
  const std::string& id = request.param("id");
  const std::size_t at = id.rfind('@');
  if (at == std::string::npos || at == 0 || at + 1 == id.size()) {
    return problem(400, "write NAME@VERSION, NAME@TAG or NAME@ALIAS");
  }
  Result<std::string> json = source.reference_json(id.substr(0, at), id.substr(at + 1));
  if (!json) return problem_of(json.error());
  return {200, "application/json", std::move(json).value()};
}

Response submit(ApiSource& source, const Request& request) {
  const std::string* encoding = request.header("content-encoding");
  if (encoding != nullptr && *encoding != "identity") {
    return problem(415, "Content-Encoding is not supported; send the body as it is");
  }
  const std::string* type = request.header("content-type");
  const Submission done = source.submit(request.param("stream"), request.body, type != nullptr ? *type : "");
  const Duration whole = (std::max<Duration>(done.retry_after, 1) + kSecond - 1) / kSecond;
  const TextPairs retry = {{"Retry-After", std::to_string(whole)}};
  switch (done.result) {
    case Submission::Result::kAccepted:
      return json_response({{"accepted", done.accepted}});
    case Submission::Result::kUnknownStream:
      return problem(404, done.message);
    case Submission::Result::kBadRequest:
      return problem(400, done.message);
    case Submission::Result::kTooLarge:
      return problem(413, done.message);
    case Submission::Result::kUnsupported:
      return problem(415, done.message);
    case Submission::Result::kFull:
      return problem(429, done.message, retry);
    case Submission::Result::kUnavailable:
      return problem(503, done.message, retry);
  }
  return problem(500, done.message);
}

Response promote(ApiSource& source, const Request& request) {
  auto promotion = read_promotion(request);
  if (auto* wrong = std::get_if<Response>(&promotion)) return std::move(*wrong);
  const Promotion& wanted = std::get<Promotion>(promotion);
  const Result<std::uint32_t> version = source.promote(wanted);
  if (!version) return problem_of(version.error());
  return json_response({{"name", wanted.name}, {"alias", wanted.alias}, {"version", version.value()}});
}

Response reload(ApiSource& source) {
  const Status status = source.reload();
  if (!status) return problem_of(status.error());
  return {200, "text/plain; charset=utf-8", "The configuration was reloaded.\n"};
}

// A handler of a request that changes something.
Router::Handler guarded(Router::Handler handler) {
  return [handler = std::move(handler)](const Request& request) {
    auto wrong = cross_site_problem(request);
    return wrong ? std::move(*wrong) : handler(request);
  };
}

}  // namespace

Router api_router(ApiSource& source, const Telemetry& telemetry) {
  Router router;
  const auto get = [&](const char* pattern, Router::Handler handler) { router.add({"GET"}, pattern, std::move(handler)); };
  const auto prompt = [&](const char* pattern, Router::Handler handler) { router.add({"GET"}, pattern, std::move(handler), true); };
  const auto healthy = [](const Request&) { return Response{200, "text/plain; charset=utf-8", "driftd is healthy.\n"}; };
  const auto is_ready = [&source](const Request&) { return ready(source); };
  get("/", [](const Request&) { return page(); });
  prompt("/metrics", [&source, &telemetry](const Request&) {
    source.measure();
    return Response{200, kPrometheusContentType, prometheus_text(telemetry)};
  });
  prompt("/-/healthy", healthy);
  prompt("/healthz", healthy);
  get("/-/ready", is_ready);
  get("/readyz", is_ready);
  get("/api/v1/streams", [&source](const Request&) { return list("streams", source.streams()); });
  get("/api/v1/findings", [&source](const Request& request) { return findings(source, request); });
  get("/api/v1/alerts", [&source](const Request&) { return alerts(source); });
  get("/api/v1/references", [&source](const Request&) {
    const auto references = source.references();
    return references ? list("references", references.value()) : problem_of(references.error());
  });
  get("/api/v1/references/{id}", [&source](const Request& request) { return reference(source, request); });
  get("/api/v1/units", [&source](const Request&) { return list("units", source.units()); });

  router.add({"POST", "PUT"}, "/-/reload", guarded([&source](const Request&) { return reload(source); }));
  router.add({"POST"}, "/api/v1/streams/{stream}/records", guarded([&source](const Request& request) { return submit(source, request); }));
  router.add({"POST"}, "/api/v1/references/{name}/promote",
             guarded([&source](const Request& request) { return promote(source, request); }));
  return router;
}

}  // namespace driftd::exporters
