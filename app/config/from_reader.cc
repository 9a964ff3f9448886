#include "app/config/from_reader.h"

#include <algorithm>

#include "app/config/unit_lookup.h"
#include "ingest/csv_row.h"
#include "ingest/decoder.h"
#include "ingest/source.h"
#include "ingest/topic_levels.h"

namespace driftd::app {

void read_from(const Node& node, StreamConfig& stream, ErrorList& errors) {
  const std::string where = "stream " + stream.name + ": from";
  if (!node.is_map() || node.entries.size() != 1) {
    return errors.add(node, where + " must name exactly one source", "for example from: {kafka: {brokers: [localhost:9092], topics: [t]}}");
  }
  const auto& [name, params] = node.entries.front();
  const auto* unit = find_unit(ingest::sources(), params, name, "source", errors);
  if (unit == nullptr) return;
  stream.source = name;
  stream.source_params = read_params(params, unit->descriptor.params, where + ": " + name, errors);
}

bool read_topic_fields(StreamConfig& stream, ErrorList& errors) {
  if (stream.source != "mqtt" || !stream.source_params.has("topic_fields")) return false;
  const Node& at = stream.source_params.node("topic_fields");
  const std::string where = "stream " + stream.name + ": from: mqtt: topic_fields";
  const std::string& pattern = stream.source_params.text("topic_fields");
  std::uint32_t level = 0, named = 0;
  for (std::size_t begin = 0; begin <= pattern.size();) {
    const std::size_t end = std::min(pattern.find('/', begin), pattern.size());
    const std::string name = pattern.substr(begin, end - begin);
    begin = end + 1;
    ++level;
    if (name.empty() || name == "_") continue;
    ++named;
    const auto index = stream.schema.index_of(name);
    if (!index) {
      std::vector<std::string> known;
      for (const Field& field : stream.schema.fields) known.push_back(field.name);
      const auto near = nearest(name, known);
      errors.add(at, where + ": there is no field '" + excerpt(name, 60) + "'",
                 near ? "did you mean '" + *near + "'?" : "add it to fields, as " + excerpt(name, 60) + ": {type: category}");
      continue;
    }
    Field& field = stream.schema.fields[*index];
    if (!field.path.empty()) {
      errors.add(at, where + ": '" + name + "' has a place already, " + excerpt(field.path, 60), "remove one of them");
    } else if (level > ingest::kMaxTopicLevel) {
      errors.add(at, where + " has more than " + std::to_string(ingest::kMaxTopicLevel) + " levels");
    } else {
      field.path = "@topic/" + std::to_string(level);
    }
  }
  if (named == 0) errors.add(at, where + " names no field", "for example _/site/_ for plant/north/pump-7");
  return true;
}

void agree_on_csv(const Node& from, StreamConfig& stream, ErrorList& errors) {
  const Node* file = from.find("file");
  if (ingest::decoders().find(stream.decoder) == nullptr) return;  // said already
  if (stream.source != "file" || file == nullptr || stream.source_params.text("format") != "csv") return;
  const std::string where = "stream " + stream.name + ": from: file: ";
  if (stream.decoder != "csv") {
    const Node* at = file->find("format");
    return errors.add(at != nullptr ? *at : *file,
                      where + "format csv reads CSV rows, which decode: {format: " + excerpt(stream.decoder, 60) + "} does not",
                      "write decode: {format: csv}, or format: json_lines here");
  }
  for (const ParamSpec& spec : ingest::csv_format_params()) {
    const bool same = stream.source_params.text(spec.name) == stream.decoder_params.text(spec.name) &&
                      stream.source_params.boolean(spec.name) == stream.decoder_params.boolean(spec.name);
    if (same) continue;
    if (errors.about(stream.decoder_params.node(spec.name))) continue;
    if (const Node* given = file->find(spec.name)) {
      errors.add(*given, where + spec.name + " differs from decode's", "write it under decode only");
      continue;
    }
    Params::Value value;
    value.text = stream.decoder_params.text(spec.name);
    value.boolean = stream.decoder_params.boolean(spec.name);
    value.node = stream.decoder_params.node(spec.name);
    stream.source_params.set(spec.name, std::move(value));
  }
}

namespace {

// What two streams may not have in common, in words; empty when they do not get in each other's way.
std::string rivalry(const StreamConfig& a, const StreamConfig& b) {
  if (a.source != b.source) return {};
  const auto same = [&](const char* param) { return a.source_params.text(param) == b.source_params.text(param); };
  if (a.source == "mqtt" && same("url") && same("client_id")) return "client_id " + excerpt(b.source_params.text("client_id"), 60);
  if (a.source != "kafka" || !same("group")) return {};
  const auto texts = [](const StreamConfig& s, const char* param) {
    auto sorted = s.source_params.texts(param);
    std::sort(sorted.begin(), sorted.end());
    return sorted;
  };
  if (texts(a, "brokers") != texts(b, "brokers")) return {};
  const auto topics = texts(a, "topics");
  for (const std::string& topic : b.source_params.texts("topics")) {
    if (std::binary_search(topics.begin(), topics.end(), topic))
      return "group " + excerpt(b.source_params.text("group"), 60) + " for topic " + excerpt(topic, 60);
  }
  return {};
}

}  // namespace

void refuse_rivals(const std::vector<StreamConfig>& streams, const Node& node, ErrorList& errors) {
  for (std::size_t i = 1; i < streams.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const std::string shared = rivalry(streams[j], streams[i]);
      if (shared.empty()) continue;
      const Node* at = node.find(streams[i].name);
      const Node* from = at != nullptr ? at->find("from") : nullptr;
      errors.add(from != nullptr ? *from : node,
                 "stream " + streams[i].name + ": from: stream " + streams[j].name + " has the same " + shared +
                     ": each would get a part of the records",
                 "give each stream its own");
      break;
    }
  }
}

}  // namespace driftd::app
