#include "app/config/try_units.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "app/config/unit_lookup.h"
#include "core/text.h"
#include "ingest/decoder.h"
#include "ingest/source.h"

namespace driftd::app {
namespace {

const Node& entry(const Node& node, const char* name) {
  const Node* found = node.find(name);
  return found != nullptr ? *found : node;
}

bool has(const std::vector<std::string>& list, const std::string& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

// The parameters whose names stand in quotes in a factory's message, in that order.
std::vector<std::string> named_in(const std::string& message, const std::vector<ParamSpec>& specs) {
  std::vector<std::pair<std::size_t, std::string>> places;
  for (const ParamSpec& spec : specs) {
    const std::size_t at = message.find("'" + spec.name + "'");
    if (at != std::string::npos) places.emplace_back(at, spec.name);
  }
  std::sort(places.begin(), places.end());
  std::vector<std::string> out;
  for (auto& [at, name] : places) out.push_back(std::move(name));
  return out;
}

bool quotes(const std::string& message, const std::string& text) {
  return message.find("'" + excerpt(text, 60) + "'") != std::string::npos;
}

// Precondition: there is one.
Node& entry_of(Node& map, const std::string& name) {
  return std::find_if(map.entries.begin(), map.entries.end(), [&](const auto& e) { return e.first == name; })->second;
}

// A factory says only its first error, so what that one is about is taken out, with what has errors already, and the factory
// asked again. Errors stand at the parameter that they name, or at the item of its list that they quote. True when in the end
// the factory took what was left.
bool try_params(const Node& node, const std::vector<ParamSpec>& specs, const std::string& where,
                const std::function<Status(const Params&)>& attempt, ErrorList& errors) {
  Node left = node;
  std::vector<std::string> missing;  // what an error said already, or one that is to be said, has to do with
  const auto take_out = [&](const std::string& name) {
    std::erase_if(left.entries, [&](const auto& e) { return e.first == name; });
    missing.push_back(name);
  };
  std::vector<std::string> known;
  for (const ParamSpec& spec : specs) known.push_back(spec.name);
  for (const auto& [name, value] : node.entries) {
    if (!errors.about(value)) continue;
    take_out(name);
    if (const auto meant = nearest(name, known)) missing.push_back(*meant);
  }
  for (const ParamSpec& spec : specs) {
    if (spec.required && left.find(spec.name) == nullptr) missing.push_back(spec.name);
  }
  while (true) {
    ErrorList ignored;  // said when the parameters were read
    const Status made = attempt(read_params(left, specs, "", ignored));
    if (made) return true;
    const std::string& message = made.error().message;
    const std::vector<std::string> names = named_in(message, specs);
    const auto said = [&](const std::string& name) { return has(missing, name) && left.find(name) == nullptr; };
    if (std::any_of(names.begin(), names.end(), said)) return false;
    const auto name = std::find_if(names.begin(), names.end(), [&](const std::string& n) { return left.find(n) != nullptr; });
    if (name == names.end()) {
      errors.add(node, where + ": " + message);
      return false;
    }
    Node& value = entry_of(left, *name);
    const auto item = std::find_if(value.items.begin(), value.items.end(), [&](const Node& i) { return quotes(message, i.scalar); });
    errors.add(item != value.items.end() ? *item : value, where + ": " + message);
    if (item != value.items.end() && value.items.size() > 1) {
      value.items.erase(item);
    } else {
      take_out(*name);
    }
  }
}

// False when the type of an entry of `fields:` is not known, as there is an error in it.
bool typed(const Node& field, const ErrorList& errors) {
  if (!field.is_map()) return !errors.about(field);
  const Node* type = field.find("type");
  return type == nullptr || !errors.about(*type);
}

class DecoderTrial {
 public:
  DecoderTrial(const ingest::DecoderRegistry::Unit& unit, const StreamConfig& stream, const Node& decode, ErrorList& errors)
      : unit_(unit), stream_(stream), where_("stream " + stream.name), decode_(decode), params_(stream.decoder_params), errors_(errors) {}

  // Its own parameters, without any field.
  bool parameters() {
    const std::size_t before = errors_.errors().size();
    const bool made = try_params(
        decode_, unit_.descriptor.params, where_,
        [&](const Params& params) -> Status {
          params_ = params;
          const auto decoder = unit_.make(params, bare(), {});
          return decoder ? Status() : decoder.error();
        },
        errors_);
    ok_ = errors_.errors().size() == before;
    return made;
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
    say(made(options, {}), entry(entry(decode_, "time"), "field"));
  }
  void field(const Field& f, const Node& at) {
    Schema one;
    one.fields.push_back(f);
    const Node* path = at.find("path");
    say(made(bare(), one), path != nullptr ? *path : at);
  }
  void whole(const Node& fields) {
    if (ok_ && !errors_.about(decode_) && !errors_.about(fields)) say(made(stream_.decode, stream_.schema), decode_);
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
    errors_.add(at, where_ + ": " + *error);
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

void try_source(const StreamConfig& stream, const Node& node, ErrorList& errors) {
  const auto* unit = ingest::sources().find(stream.source);
  if (unit == nullptr) return;  // said already
  const Node& from = entry(node, "from");
  const Node& at = entry(from, stream.source.c_str());
  ErrorList problems;
  ingest::SourceContext context;
  context.stream = stream.name;
  context.sensor_path = stream.decode.sensor;
  context.problems = &problems;
  const auto made = unit->make(stream.source_params, context);
  if (!made && problems.empty()) problems.add(at, made.error().message);
  errors.add_unsaid(problems, at, "stream " + stream.name);
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
  for (const Field& field : stream.schema.fields) {
    const Node& at = entry(fields, field.name.c_str());
    if (typed(at, errors)) trial.field(field, at);
  }
  trial.whole(fields);
}

std::unique_ptr<rules::Check> try_check(const StreamConfig& stream, const rules::CheckRegistry::Unit& unit, int field, const Node& node,
                                        const std::string& where, ErrorList& errors) {
  if (field < 0 && unit.make.field_use == rules::FieldUse::kRequired) return nullptr;  // said already
  const rules::CheckContext context{.schema = &stream.schema, .field = field, .reference = nullptr, .window = stream.windows.size};
  std::unique_ptr<rules::Check> check;
  const auto attempt = [&](const Params& params) -> Status {
    auto made = unit.make.make(params, context);
    if (!made) return made.error();
    check = std::move(made).value();
    return {};
  };
  try_params(node, both(rules::common_params(), unit.descriptor.params), where, attempt, errors);
  return check;
}

}  // namespace driftd::app
