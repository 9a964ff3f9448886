// One entry of `streams:`.
#include <algorithm>
#include <set>

#include "app/config/check_reader.h"
#include "app/config/config.h"
#include "app/config/from_reader.h"
#include "app/config/try_units.h"
#include "app/config/unit_lookup.h"
#include "core/hash.h"
#include "core/text.h"
#include "stats/reference_name.h"

namespace driftd::app {
namespace {

// A canonical text of a node, for the configuration's hash: no places, no comments, no order of keys.
void dump(const Node& node, std::string& out) {
  switch (node.kind) {
    case Node::Kind::kNull:
      out += "null";
      return;
    case Node::Kind::kScalar:
      append_json_string(out, node.scalar);
      return;
    case Node::Kind::kList:
      out += '[';
      for (const Node& item : node.items) {
        dump(item, out);
        out += ',';
      }
      out += ']';
      return;
    case Node::Kind::kMap: {
      std::vector<const std::pair<std::string, Node>*> entries;
      for (const auto& entry : node.entries) entries.push_back(&entry);
      std::sort(entries.begin(), entries.end(), [](auto* a, auto* b) { return a->first < b->first; });
      out += '{';
      for (const auto* entry : entries) {
        append_json_string(out, entry->first);
        out += ':';
        dump(entry->second, out);
        out += ',';
      }
      out += '}';
      return;
    }
  }
}

void read_time(const Node& node, StreamConfig& stream, ErrorList& errors) {
  const std::string where = "stream " + stream.name + ": decode: time";
  if (node.is_scalar()) {
    stream.decode.time = node.scalar;
    return;
  }
  static const std::vector<ParamSpec> specs = {{.name = "field", .sentence = "Field, JSON pointer, column or @arrival", .required = true},
                                               {.name = "unit",
                                                .type = ParamType::kChoice,
                                                .sentence = "Unit of a number, or rfc3339 for text",
                                                .default_text = "ms",
                                                .choices = {"s", "ms", "us", "ns", "rfc3339"}}};
  const Params params = read_params(node, specs, where, errors);
  stream.decode.time = params.text("field");
  const auto& units = specs[1].choices;
  const auto at = std::find(units.begin(), units.end(), params.text("unit")) - units.begin();
  stream.decode.time_unit = static_cast<ingest::TimeUnit>(at < 5 ? at : 1);
}

void read_decode(const Node& node, StreamConfig& stream, ErrorList& errors) {
  const std::string where = "stream " + stream.name + ": decode";
  const Node* format = node.find("format");
  stream.decoder = format != nullptr && format->is_scalar() ? format->scalar : "json";
  const auto* unit = find_unit(ingest::decoders(), format != nullptr ? *format : node, stream.decoder, "decoder", errors);
  // Of a decoder that does not exist no key can be said to be unknown.
  std::vector<std::string> unknown;
  for (const auto& [key, value] : node.entries) unknown.push_back(key);
  const Params params = unit == nullptr ? read_params(node, decode_params(), where, errors, unknown)
                                        : read_params(node, both(decode_params(), unit->descriptor.params), where, errors);
  stream.decode.sensor = params.text("sensor");
  stream.decode.max_future = params.duration("max_future");
  stream.decode.max_record = params.size("max_record");
  stream.decode.max_depth = static_cast<std::size_t>(params.integer("max_depth"));
  if (params.has("time")) read_time(params.node("time"), stream, errors);
  stream.decoder_params = params;
}

void read_fields(const Node& node, StreamConfig& stream, Unsure& unsure, ErrorList& errors) {
  const std::string where = "stream " + stream.name + ": fields";
  if (!node.is_map() || node.entries.empty()) return errors.add(node, where + " must name at least one field");
  for (const auto& [name, given] : node.entries) {
    Node value = given;
    if (given.is_scalar()) {  // `temperature: number`
      value = Node::map({{"type", given}});
      value.line = given.line;
      value.column = given.column;
    }
    const Params params = read_params(value, field_params(), where + ": " + name, errors);
    Field field;
    field.name = name;
    field.kind = field_kind(params.text("type")).value_or(FieldKind::kNumber);
    field.role = field_role(params.text("role")).value_or(FieldRole::kFeature);
    field.unit = params.text("unit");
    field.path = params.text("path");
    field.numbers_in_text = params.boolean("numbers_in_text");
    const bool sure = !errors.about(params.node("type")) && !errors.about(params.node("role"));
    if (!sure) unsure.fields.insert(name);
    if (sure && field.role == FieldRole::kSegment && field.kind != FieldKind::kCategory) {
      errors.add(value, where + ": " + name + ": a segment must be a category", "write type: category");
    }
    stream.schema.fields.push_back(std::move(field));
  }
}

void read_windows(const Node& node, StreamConfig& stream, Unsure& unsure, ErrorList& errors) {
  const std::string where = "stream " + stream.name + ": windows";
  const Params params = read_params(node, window_params(), where, errors);
  WindowConfig& windows = stream.windows;
  windows.size = params.duration("size");
  windows.slide = params.has("slide") ? params.duration("slide") : windows.size;
  windows.lateness = params.duration("lateness");
  windows.idle = params.duration("idle");
  if (windows.size <= 0 || errors.about(params.node("size"))) {  // said by its own error
    windows.size = windows.slide = 5 * kMinute;
  } else if (errors.about(params.node("slide"))) {
    windows.slide = windows.size;
  } else if (windows.slide <= 0 || windows.size % windows.slide != 0 || windows.panes() > 10000) {
    errors.add(node, where + ": size must be a whole number (at most 10000) of slides");
    windows.slide = windows.size;
  }
  std::vector<std::string> by = params.texts("by");
  if (by.empty()) by = {"stream"};
  std::vector<std::string> known = {"stream", "sensor"};
  for (const Field& field : stream.schema.fields) {
    if (field.role == FieldRole::kSegment) known.push_back(field.name);
  }
  const Node* at = node.find("by");
  // Twice the same segment would be judged twice, under the same ids.
  if (at != nullptr) refuse_twice(by, *at, where + ": by", errors);
  for (std::size_t i = 0; i < by.size(); ++i) {
    const std::string& name = by[i];
    Level level;
    level.by = name;
    if (name == "sensor") {
      level.kind = Level::Kind::kSensor;
    } else if (name != "stream") {
      level.kind = Level::Kind::kField;
      const auto index = stream.schema.index_of(name);
      if (!index || (stream.schema.fields[*index].role != FieldRole::kSegment && unsure.fields.count(name) == 0)) {
        const auto near = nearest(name, known);
        errors.add(at != nullptr ? item_at(*at, i) : node,
                   where + ": by: '" + name + "' is neither stream, sensor nor a field of role segment",
                   near ? "did you mean '" + *near + "'?" : "known: " + join(known));
        continue;
      }
      level.field = static_cast<int>(*index);
    }
    windows.levels.push_back(std::move(level));
  }
  unsure.levels = at != nullptr && errors.about(*at);
}

void read_reference(const Node& at, StreamConfig& stream, ErrorList& errors) {
  if (stats::names_reference(stream.reference)) return;
  errors.add(at, "stream " + stream.name + ": reference: '" + excerpt(stream.reference, 60) + "' names no reference",
             "write NAME@ALIAS, NAME@TAG or NAME@VERSION, for example " + stream.name + "@production");
}

void read_quarantine(const Node& node, const Params& params, StreamConfig& stream, ReadFor read_for, ErrorList& errors) {
  const std::string where = "stream " + stream.name + ": quarantine";
  stream.quarantine_failed = params.boolean("failed");
  if (!params.has("topic")) {
    if (node.entries.empty()) errors.add(node, where + " asks for nothing: rejects are kept anyway", "write topic: NAME or failed: true");
    for (const auto& [key, value] : node.entries) {
      if (key != "failed") errors.add(value, where + ": '" + excerpt(key, 60) + "' needs a topic", "write topic: NAME");
    }
    return;
  }
  ingest::QuarantineTopicOptions options;
  options.stream = stream.name;
  options.topic = params.text("topic");
  options.buffer = params.size("buffer");
  const ingest::KafkaConnection own = ingest::kafka_connection(params);
  ingest::TextPairs inherited;
  options.connection = own;
  if (stream.source == "kafka") {
    const ingest::KafkaConnection source = ingest::kafka_connection(stream.source_params);
    if (own.brokers.empty()) {
      options.connection = source;
      inherited = source.options;
      options.connection.options.insert(options.connection.options.end(), own.options.begin(), own.options.end());
      if (!own.password_file.empty()) options.connection.password_file = own.password_file;
    }
    const std::vector<std::string>& topics = stream.source_params.texts("topics");
    if (options.connection.brokers == source.brokers && std::find(topics.begin(), topics.end(), options.topic) != topics.end()) {
      errors.add(node, where + ": '" + excerpt(options.topic) + "' is a topic that the stream reads", "name another topic");
    }
  } else if (own.brokers.empty()) {
    errors.add(node, where + " needs brokers: the stream does not read from Kafka", "write brokers: [localhost:9092]");
  }
  if (read_for == ReadFor::kService) {
    for (const auto& [at, why] : ingest::kafka_connection_problems(params, inherited)) errors.add(*at, where + ": " + why);
  }
  stream.quarantine_topic = std::move(options);
}

void read_gate(const Node& node, const Params& params, StreamConfig& stream, ErrorList& errors) {
  const std::string where = "stream " + stream.name + ": gate";
  GateConfig gate;
  gate.valid = params.text("valid");
  gate.invalid = params.text("invalid");
  gate.severity = severity(params.text("severity")).value_or(Severity::kWarning);
  gate.checks = params.texts("checks");
  gate.transactional_id = params.text("transactional_id");
  gate.commit_every = params.duration("commit_every");
  gate.buffer = params.size("buffer");
  if (!stream.source.empty() && stream.source != "kafka") {
    errors.add(node, where + " works for `from: kafka` only: forwarding exactly once needs transactions that cover output and positions",
               "remove it, or bring the records into Kafka first");
  } else if (stream.source == "kafka") {
    const std::vector<std::string>& topics = stream.source_params.texts("topics");
    for (const std::string& topic : {gate.valid, gate.invalid}) {
      if (std::find(topics.begin(), topics.end(), topic) != topics.end()) {
        errors.add(node, where + ": '" + excerpt(topic) + "' is a topic that the stream reads", "name another topic");
      }
    }
    for (const auto& [name, value] : stream.source_params.text_map("options")) {
      if (name == "isolation.level" && value != "read_committed") {
        errors.add(node, where + " needs the option isolation.level: read_committed", "remove isolation.level from options");
      }
    }
  }
  std::vector<std::string> known;
  for (const CheckConfig& check : stream.checks) known.push_back(check.name);
  for (std::size_t i = 0; i < gate.checks.size(); ++i) {
    const std::string& name = gate.checks[i];
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest(name, known);
    errors.add(item_at(params.node("checks"), i), where + ": checks: there is no check '" + excerpt(name, 60) + "'",
               near ? "did you mean '" + *near + "'?" : "known: " + join(known));
  }
  stream.gate = std::move(gate);
}

}  // namespace

StreamConfig read_stream(const std::string& name, const Node& node, const ServiceConfig& service, ReadFor read_for, ErrorList& errors) {
  StreamConfig stream;
  stream.name = name;
  stream.sensor_cap = service.sensor_cap;
  stream.sensor_idle = service.sensor_idle;
  const std::string where = "stream " + name;
  for (const char* later : {"model", "drift"}) {
    if (const Node* n = node.find(later)) errors.add(*n, where + ": '" + later + "' is not in this version of driftd", "remove it");
  }
  const Params params = read_params(node, stream_params(), where, errors, {"model", "drift"});
  Node none;
  none.line = node.line;
  none.column = node.column;
  if (params.has("from")) read_from(params.node("from"), stream, errors);
  Unsure unsure;
  if (params.has("fields")) read_fields(params.node("fields"), stream, unsure, errors);
  if (params.has("decode")) read_decode(params.node("decode"), stream, errors);
  const Node& from = params.has("from") ? params.node("from") : none;
  agree_on_csv(from, stream, errors);
  const bool topic_fields = read_topic_fields(stream, errors);
  if (params.has("decode"))
    try_decoder(stream, node, errors);  // first: the source may have taken a wrong separator over, which is said once
  if (read_for == ReadFor::kService) try_source(stream, node, service, errors);
  read_windows(params.has("windows") ? params.node("windows") : none, stream, unsure, errors);
  if (params.has("checks")) {
    const Node& checks = params.node("checks");
    if (!checks.is_list()) errors.add(checks, where + ": checks must be a list");
    std::set<std::string> taken;
    for (const Node& check : checks.items) read_check(check, stream, unsure, taken, errors);
  }
  if (params.has("reference")) {
    stream.reference = params.text("reference");
    read_reference(params.node("reference"), stream, errors);
  }
  if (const Node* quarantine = node.find("quarantine")) read_quarantine(*quarantine, params.nested("quarantine"), stream, read_for, errors);
  if (const Node* gate = node.find("gate")) read_gate(*gate, params.nested("gate"), stream, errors);
  std::string canonical, routing;
  for (const auto& [key, value] : node.entries) {
    // Where records come from and where they go changes no verdict.
    std::string& part = key == "from" || key == "gate" || key == "quarantine" ? routing : canonical;
    append_json_string(part, key);
    dump(value, part);
  }
  if (topic_fields) {
    append_json_string(canonical, "topic_fields");
    append_json_string(canonical, stream.source_params.text("topic_fields"));
  }
  stream.hash = sha256_hex(canonical).substr(0, 16);
  stream.from_hash = sha256_hex(routing).substr(0, 16);
  return stream;
}

}  // namespace driftd::app
