#include "app/config/try_units.h"

#include <algorithm>
#include <optional>

#include "core/text.h"
#include "ingest/decoder.h"
#include "ingest/source.h"

namespace driftd::app {
namespace {

const Node& entry(const Node& node, const char* name) {
  const Node* found = node.find(name);
  return found != nullptr ? *found : node;
}

// The entry of `node` whose key stands in quotes in a factory's message; null when none does.
const std::pair<std::string, Node>* named_in(const std::string& message, const Node& node) {
  for (const auto& e : node.entries) {
    if (message.find("'" + e.first + "'") != std::string::npos) return &e;
  }
  return nullptr;
}

class DecoderTrial {
 public:
  DecoderTrial(const ingest::DecoderRegistry::Unit& unit, const StreamConfig& stream, const Node& decode, ErrorList& errors)
      : unit_(unit),
        stream_(stream),
        where_("stream " + stream.name + ": "),
        decode_(decode),
        params_(stream.decoder_params),
        errors_(errors) {}

  // Its own parameters, without any field. A factory says only its first error, so the parameter that
  // one is about is taken out and the factory asked again.
  bool parameters() {
    Node left = decode_;
    while (const auto error = made(bare(), {})) {
      ok_ = false;
      const auto* about = named_in(*error, left);
      errors_.add(about != nullptr ? about->second : decode_, where_ + *error);
      if (about == nullptr) return false;
      std::erase_if(left.entries, [key = about->first](const auto& e) { return e.first == key; });
      ErrorList ignored;
      std::vector<std::string> others;
      for (const auto& [key, value] : left.entries) others.push_back(key);
      params_ = read_params(left, unit_.descriptor.params, "", ignored, others);
    }
    return true;
  }

  // One path at a time, so that each is told of.
  void sensor() {
    ingest::DecodeOptions options = bare();
    options.sensor = stream_.decode.sensor;
    say(made(options, {}), entry(decode_, "sensor"));
  }
  void time() {
    ingest::DecodeOptions options = bare();
    options.time = stream_.decode.time;
    say(made(options, {}), entry(decode_, "time"));
  }
  void field(const Field& f, const Node& at) {
    Schema one;
    one.fields.push_back(f);
    const Node* path = at.find("path");
    say(made(bare(), one), path != nullptr ? *path : at);
  }
  void whole() {
    if (ok_) say(made(stream_.decode, stream_.schema), decode_);
  }

 private:
  ingest::DecodeOptions bare() const {
    ingest::DecodeOptions options = stream_.decode;
    options.sensor.clear();
    options.time = "@arrival";
    return options;
  }
  std::optional<std::string> made(const ingest::DecodeOptions& options, const Schema& schema) const {
    const auto decoder = unit_.make(params_, options, schema);
    return decoder ? std::nullopt : std::optional(decoder.error().message);
  }
  void say(const std::optional<std::string>& error, const Node& at) {
    if (!error) return;
    ok_ = false;
    errors_.add(at, where_ + *error);
  }

  const ingest::DecoderRegistry::Unit& unit_;
  const StreamConfig& stream_;
  std::string where_;
  const Node& decode_;
  Params params_;
  ErrorList& errors_;
  bool ok_ = true;
};

}  // namespace

void try_source(const StreamConfig& stream, const Node& node, const ServiceConfig& service, ErrorList& errors) {
  const auto* unit = ingest::sources().find(stream.source);
  if (unit == nullptr) return;  // said already
  const Node& from = entry(node, "from");
  const Node& at = entry(from, stream.source.c_str());
  ErrorList problems;
  ingest::SourceContext context;
  context.stream = stream.name;
  context.sensor_path = stream.decode.sensor;
  context.journal_cap = service.journal_cap;
  context.problems = &problems;
  const auto made = unit->make(stream.source_params, context);
  if (!made && problems.empty()) problems.add(at, made.error().message);
  // What reading the parameters has said, about the same value or a key that is missing, is not said again.
  const std::vector<ConfigError> before = errors.errors();
  for (const ConfigError& problem : problems.errors()) {
    Node place = at;
    if (problem.line > 0) {
      place.line = problem.line;
      place.column = problem.column;
    }
    const bool said =
        std::any_of(before.begin(), before.end(), [&](const ConfigError& e) { return e.line == place.line && e.column == place.column; });
    if (!said) errors.add(place, "stream " + stream.name + ": " + problem.message, problem.suggestion);
  }
}

void try_decoder(const StreamConfig& stream, const Node& node, ErrorList& errors) {
  const auto* unit = ingest::decoders().find(stream.decoder);
  if (unit == nullptr) return;  // said already
  const Node& decode = entry(node, "decode");
  const Node& fields = entry(node, "fields");
  DecoderTrial trial(*unit, stream, decode, errors);
  if (!trial.parameters()) return;
  if (!stream.decode.sensor.empty()) trial.sensor();
  if (!stream.decode.time.empty()) trial.time();
  for (const Field& field : stream.schema.fields) trial.field(field, entry(fields, field.name.c_str()));
  trial.whole();
}

}  // namespace driftd::app
