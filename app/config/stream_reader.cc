// One entry of `streams:`.
#include <algorithm>
#include <set>

#include "app/config/config.h"
#include "app/config/from_reader.h"
#include "app/config/try_units.h"
#include "app/config/unit_lookup.h"
#include "core/hash.h"
#include "core/text.h"
#include "stats/distance.h"

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

void read_fields(const Node& node, StreamConfig& stream, ErrorList& errors) {
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
    if (field.role == FieldRole::kSegment && field.kind != FieldKind::kCategory) {
      errors.add(value, where + ": " + name + ": a segment must be a category", "write type: category");
    }
    stream.schema.fields.push_back(std::move(field));
  }
}

void read_windows(const Node& node, StreamConfig& stream, ErrorList& errors) {
  const std::string where = "stream " + stream.name + ": windows";
  const Params params = read_params(node, window_params(), where, errors);
  WindowConfig& windows = stream.windows;
  windows.size = params.duration("size");
  windows.slide = params.has("slide") ? params.duration("slide") : windows.size;
  windows.lateness = params.duration("lateness");
  windows.idle = params.duration("idle");
  if (windows.size <= 0) {  // said by its own error
    windows.size = windows.slide = 5 * kMinute;
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
  for (const std::string& name : by) {
    Level level;
    level.by = name;
    if (name == "sensor") {
      level.kind = Level::Kind::kSensor;
    } else if (name != "stream") {
      level.kind = Level::Kind::kField;
      const auto index = stream.schema.index_of(name);
      if (!index || stream.schema.fields[*index].role != FieldRole::kSegment) {
        const auto near = nearest(name, known);
        errors.add(at != nullptr ? *at : node, where + ": by: '" + name + "' is neither stream, sensor nor a field of role segment",
                   near ? "did you mean '" + *near + "'?" : "known: " + join(known));
        continue;
      }
      level.field = static_cast<int>(*index);
    }
    windows.levels.push_back(std::move(level));
  }
}

// The fields one entry of `checks` is about, as indices; -1 for none.
std::vector<int> fields_of(const Node& node, const Params& common, const rules::CheckUnit& unit, const StreamConfig& stream,
                           const std::string& where, ErrorList& errors) {
  const std::vector<std::string>& names = common.texts("field");
  if (unit.field_use == rules::FieldUse::kNone) {
    if (!names.empty()) errors.add(node, where + " is about no field", "remove field");
    return {-1};
  }
  if (names.empty()) {
    if (unit.field_use == rules::FieldUse::kRequired) errors.add(node, where + ": 'field' is missing");
    return {-1};
  }
  std::vector<std::string> known;
  for (const Field& field : stream.schema.fields) known.push_back(field.name);
  std::vector<int> out;
  for (const std::string& name : names) {
    const auto index = stream.schema.index_of(name);
    if (!index) {
      const auto near = nearest(name, known);
      errors.add(*node.find("field"), where + ": there is no field '" + excerpt(name, 60) + "'",
                 near ? "did you mean '" + *near + "'?" : "known fields: " + join(known));
      continue;
    }
    const FieldKind kind = stream.schema.fields[*index].kind;
    if (!unit.kinds.empty() && std::find(unit.kinds.begin(), unit.kinds.end(), kind) == unit.kinds.end()) {
      errors.add(*node.find("field"), where + " does not apply to " + name + ", which is of type " + to_string(kind));
      continue;
    }
    out.push_back(static_cast<int>(*index));
  }
  return out;
}

// What to write for a check that does not exist but that people look for.
std::string check_hint(const std::string& name) {
  if (name == "drift")
    return "calibrated drift is not in this version of driftd; write check: distance, or a detector such as check: adwin";
  const auto& metrics = stats::distances();
  const auto near = metrics.find(name) != nullptr || nearest(name, rules::checks().names()) ? std::nullopt : nearest(name, metrics.names());
  if (metrics.find(name) == nullptr && !near) return {};
  return "write check: distance, metric: " + near.value_or(name);
}

void read_by(const Node& node, const StreamConfig& stream, const std::string& where, const std::vector<std::string>& by,
             ErrorList& errors) {
  const Node* at = node.find("by");
  if (at == nullptr) return;
  refuse_twice(by, *at, where + ": by", errors);
  std::vector<std::string> known;
  for (const Level& level : stream.windows.levels) known.push_back(level.by);
  for (std::size_t i = 0; i < by.size(); ++i) {
    if (std::find(known.begin(), known.end(), by[i]) != known.end()) continue;
    const auto near = nearest(by[i], known);
    errors.add(item_at(*at, i), where + ": by: '" + excerpt(by[i], 60) + "' is not in windows.by",
               near ? "did you mean '" + *near + "'?" : "known: " + join(known));
  }
}

void read_check(const Node& node, StreamConfig& stream, std::set<std::string>& taken, ErrorList& errors) {
  const Node* named = node.find("check");
  const std::string name = named != nullptr && named->is_scalar() ? named->scalar : "";
  if (name.empty()) return errors.add(node, "stream " + stream.name + ": a check has no name", "write {check: in_range, ...}");
  const std::string where = "stream " + stream.name + ": check " + excerpt(name, 60);
  const auto* unit = find_unit(rules::checks(), *named, name, "check", errors, check_hint(name));
  if (unit == nullptr) return;
  const std::size_t before = errors.errors().size();
  const auto fine = [&] { return errors.errors().size() == before; };
  const Params params = read_params(node, both(rules::common_params(), unit->descriptor.params), where, errors);
  const std::vector<std::string>& by = params.texts("by");
  read_by(node, stream, where, by, errors);
  for (const int field : fields_of(node, params, unit->make, stream, where, errors)) {
    CheckConfig check;
    check.unit = unit;
    check.params = params;
    check.field = field;
    check.name = params.has("name") ? params.text("name") : name;
    check.severity = severity(params.text("severity")).value_or(Severity::kWarning);
    check.by = by;
    if (fine()) {
      rules::CheckContext context{.schema = &stream.schema, .field = field, .reference = nullptr, .window = stream.windows.size};
      const auto made = unit->make.make(params, context);
      if (!made) errors.add(node, where + ": " + made.error().message);
      const bool elsewhere = std::any_of(check.by.begin(), check.by.end(), [](const std::string& level) { return level != "sensor"; });
      if (made && elsewhere && (*made)->judges_records()) {
        errors.add(*node.find("by"), where + ": by: a detector runs for every sensor, not for other segments",
                   "leave by out, or write by: [sensor]");
      }
    }
    // A check with errors takes no name: the next one's own errors are what matters.
    if (fine() && !taken.insert(check.name + "/" + std::to_string(field)).second) {
      errors.add(node, where + " is there twice for the same field", "give one of them another name: {check: " + name + ", name: ...}");
    }
    stream.checks.push_back(std::move(check));
  }
}

// NAME, NAME@ALIAS, NAME@TAG or NAME@VERSION, of letters, digits, _ - and dots.
void read_reference(const Node& at, StreamConfig& stream, ErrorList& errors) {
  const std::string& text = stream.reference;
  const std::size_t sign = text.find('@');
  const auto word = [](std::string_view s) {
    return !s.empty() && s.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.") == std::string_view::npos;
  };
  if (word(text.substr(0, sign)) && (sign == std::string::npos || word(text.substr(sign + 1)))) return;
  errors.add(at, "stream " + stream.name + ": reference: '" + excerpt(text, 60) + "' names no reference",
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
  options.connection = own;
  if (stream.source == "kafka") {
    const ingest::KafkaConnection source = ingest::kafka_connection(stream.source_params);
    if (own.brokers.empty()) {
      options.connection = source;
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
    for (const auto& [at, why] : ingest::kafka_connection_problems(params)) errors.add(*at, where + ": " + why);
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
  for (const std::string& name : gate.checks) {
    if (std::find(known.begin(), known.end(), name) != known.end()) continue;
    const auto near = nearest(name, known);
    errors.add(node, where + ": checks: there is no check '" + excerpt(name, 60) + "'",
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
  if (params.has("fields")) read_fields(params.node("fields"), stream, errors);
  if (params.has("decode")) read_decode(params.node("decode"), stream, errors);
  const Node& from = params.has("from") ? params.node("from") : none;
  agree_on_csv(from, stream, errors);
  const bool topic_fields = read_topic_fields(stream, errors);
  if (params.has("decode"))
    try_decoder(stream, node, errors);  // first: the source may have taken a wrong separator over, which is said once
  if (read_for == ReadFor::kService) try_source(stream, node, errors);
  read_windows(params.has("windows") ? params.node("windows") : none, stream, errors);
  if (params.has("checks")) {
    const Node& checks = params.node("checks");
    if (!checks.is_list()) errors.add(checks, where + ": checks must be a list");
    std::set<std::string> taken;
    for (const Node& check : checks.items) read_check(check, stream, taken, errors);
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
