#include "app/config/json_schema.h"

#include <nlohmann/json.hpp>

#include "alerts/alert_config.h"
#include "alerts/notifier.h"
#include "app/config/config.h"
#include "core/text.h"
#include "ingest/decoder.h"
#include "ingest/source.h"
#include "rules/check.h"

namespace driftd::app {
namespace {

using Json = nlohmann::ordered_json;

Json object_schema(const std::vector<ParamSpec>& specs);

Json scalar_default(const ParamSpec& spec) {
  if (const auto number = parse_number(spec.default_text);
      number && (spec.type == ParamType::kNumber || spec.type == ParamType::kInteger)) {
    return spec.type == ParamType::kInteger ? Json(static_cast<std::int64_t>(*number)) : Json(*number);
  }
  if (spec.type == ParamType::kBoolean) return spec.default_text == "true";
  return spec.default_text;
}

Json value_schema(const ParamSpec& spec) {
  Json s = Json::object();
  const auto bounds = [&] {
    if (spec.min) s["minimum"] = *spec.min;
    if (spec.max) s["maximum"] = *spec.max;
  };
  switch (spec.type) {
    case ParamType::kText:
      s["type"] = {"string", "number", "boolean"};
      break;
    case ParamType::kNumber:
      s["type"] = "number";
      bounds();
      break;
    case ParamType::kInteger:
      s["type"] = "integer";
      bounds();
      break;
    case ParamType::kBoolean:
      s["type"] = "boolean";
      break;
    case ParamType::kDuration:
      s["type"] = "string";
      s["pattern"] = "^([0-9.]+(d|h|m|s|ms|us|ns))+$|^0$";
      break;
    case ParamType::kSize:
      s["type"] = {"string", "integer"};
      break;
    case ParamType::kChoice:
      s["enum"] = spec.choices;
      break;
    case ParamType::kTextList:
    case ParamType::kNumberList: {
      Json item = Json::object();
      if (!spec.choices.empty()) {
        item["enum"] = spec.choices;
      } else {
        item["type"] = spec.type == ParamType::kTextList ? Json({"string", "number", "boolean"}) : Json("number");
      }
      s["anyOf"] = {item, {{"type", "array"}, {"items", item}}};
      break;
    }
    case ParamType::kTextMap:
      s["type"] = "object";
      s["additionalProperties"] = {{"type", {"string", "number", "boolean"}}};
      break;
    case ParamType::kNode:
      if (!spec.fields.empty()) s = object_schema(spec.fields);
      break;
  }
  s["description"] = spec.sentence;
  if (!spec.default_text.empty()) s["default"] = scalar_default(spec);
  return s;
}

Json object_schema(const std::vector<ParamSpec>& specs) {
  Json s = {{"type", "object"}, {"additionalProperties", false}, {"properties", Json::object()}};
  Json required = Json::array();
  for (const ParamSpec& spec : specs) {
    s["properties"][spec.name] = value_schema(spec);
    if (spec.required) required.push_back(spec.name);
  }
  if (!required.empty()) s["required"] = required;
  return s;
}

Json map_of(Json values, const char* description) {
  return {{"type", "object"}, {"description", description}, {"additionalProperties", std::move(values)}};
}

Json from_schema() {
  Json s = {{"type", "object"}, {"minProperties", 1}, {"maxProperties", 1}, {"additionalProperties", false}};
  for (const auto& unit : ingest::sources().units()) {
    s["properties"][unit.descriptor.name] = object_schema(unit.descriptor.params);
    s["properties"][unit.descriptor.name]["description"] = unit.descriptor.summary;
  }
  return s;
}

// One alternative a unit, told apart by the value of `key`.
Json by_unit(const char* key, const std::string& name, const Descriptor& descriptor, std::vector<ParamSpec> specs) {
  for (const ParamSpec& spec : descriptor.params) specs.push_back(spec);
  Json s = object_schema(specs);
  s["properties"][key] = {{"const", name}, {"description", descriptor.summary}};
  return s;
}

Json checks_schema() {
  Json any = Json::array();
  for (const auto& unit : rules::checks().units()) {
    Json one = by_unit("check", unit.descriptor.name, unit.descriptor, rules::common_params());
    if (unit.make.field_use == rules::FieldUse::kRequired) one["required"].push_back("field");
    if (unit.make.field_use == rules::FieldUse::kNone) one["properties"].erase("field");
    any.push_back(std::move(one));
  }
  return {{"type", "array"}, {"items", {{"oneOf", any}}}};
}

Json decode_schema() {
  Json any = Json::array();
  for (const auto& unit : ingest::decoders().units()) {
    Json s = by_unit("format", unit.descriptor.name, unit.descriptor, decode_params());
    s["properties"]["time"] = {
        {"anyOf",
         {{{"type", "string"}},
          {{"type", "object"},
           {"properties", {{"field", {{"type", "string"}}}, {"unit", {{"enum", {"s", "ms", "us", "ns", "rfc3339"}}}}}},
           {"required", {"field"}},
           {"additionalProperties", false}}}}};
    any.push_back(std::move(s));
  }
  return {{"anyOf", any}};
}

Json alerts_schema() {
  Json s = object_schema(alerts::alert_params());
  s["properties"]["routes"] = {{"type", "array"}, {"items", object_schema(alerts::route_params())}};
  Json any = Json::array();
  for (const auto& unit : alerts::notifiers().units()) {
    Json one = by_unit("type", unit.descriptor.name, unit.descriptor, {});
    one["required"].push_back("type");
    any.push_back(std::move(one));
  }
  s["properties"]["notifiers"] = map_of({{"oneOf", any}}, "Where alerts go, by name");
  return s;
}

}  // namespace

std::string json_schema() {
  Json stream = object_schema(stream_params());
  stream["properties"]["from"] = from_schema();
  stream["properties"]["decode"] = decode_schema();
  stream["properties"]["fields"] =
      map_of({{"anyOf", {value_schema(field_params().front()), object_schema(field_params())}}}, "The fields of a record, by name");
  stream["properties"]["fields"]["minProperties"] = 1;
  stream["properties"]["windows"] = object_schema(window_params());
  stream["properties"]["checks"] = checks_schema();
  Json root = {{"$schema", "https://json-schema.org/draft/2020-12/schema"},
               {"title", "driftd configuration"},
               {"type", "object"},
               {"additionalProperties", false},
               {"required", {"streams"}}};
  root["properties"]["service"] = object_schema(service_params());
  root["properties"]["databases"] = map_of(object_schema(database_params()), "Named database connections");
  root["properties"]["references"] = object_schema(reference_params());
  root["properties"]["streams"] = map_of(std::move(stream), "The streams, by name");
  root["properties"]["alerts"] = alerts_schema();
  return root.dump(2) + "\n";
}

}  // namespace driftd::app
