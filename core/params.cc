#include "core/params.h"

#include <array>
#include <cmath>

#include "core/text.h"

namespace driftd {
namespace {

using Value = Params::Value;

// Why a scalar was refused; empty when it was taken.
std::string read_scalar(const std::string& text, const ParamSpec& spec, Value& out) {
  switch (spec.type) {
    case ParamType::kText:
      out.text = text;
      return {};
    case ParamType::kChoice:
      out.text = text;
      for (const std::string& choice : spec.choices) {
        if (choice == text) return {};
      }
      return "is none of " + join(spec.choices);
    case ParamType::kNumber: {
      const auto v = parse_number(text);
      if (!v || !std::isfinite(*v)) return "is not a finite number";
      out.number = *v;
      break;
    }
    case ParamType::kInteger: {
      const auto v = parse_integer(text);
      if (!v) return "is not an integer";
      out.integer = *v;
      out.number = static_cast<double>(*v);
      break;
    }
    case ParamType::kBoolean:
      if (text != "true" && text != "false") return "is neither true nor false";
      out.boolean = text == "true";
      return {};
    case ParamType::kDuration: {
      const auto v = parse_duration(text);
      if (!v) return "is not a duration; write 30s, 5m, 1h or 7d";
      out.integer = *v;
      out.number = to_seconds(*v);
      break;
    }
    case ParamType::kSize: {
      const auto v = parse_size(text);
      if (!v) return "is not a size; write 64KiB, 16MiB or 1GiB";
      out.integer = static_cast<std::int64_t>(*v);
      out.number = static_cast<double>(*v);
      break;
    }
    default:
      return "must not be a single value";
  }
  if (spec.min && out.number < *spec.min) return "is below the least allowed, " + format_number(*spec.min);
  if (spec.max && out.number > *spec.max) return "is above the most allowed, " + format_number(*spec.max);
  return {};
}

std::string shown(const ParamSpec& spec, const std::string& text) { return spec.secret ? "(secret)" : "'" + excerpt(text, 60) + "'"; }

void read_list(const Node& node, const ParamSpec& spec, const std::string& name, Value& out, ErrorList& errors) {
  const bool numbers = spec.type == ParamType::kNumberList;
  const auto add = [&](const Node& item) {
    ParamSpec one = spec;
    one.type = numbers ? ParamType::kNumber : spec.choices.empty() ? ParamType::kText : ParamType::kChoice;
    Value v;
    const std::string why = item.is_scalar() ? read_scalar(item.scalar, one, v) : "is not a single value";
    if (!why.empty()) return errors.add(item, name + ": " + shown(spec, item.scalar) + " " + why);
    if (numbers) {
      out.numbers.push_back(v.number);
    } else {
      out.texts.push_back(v.text);
    }
  };
  if (node.is_list()) {
    if (spec.required && node.items.empty()) errors.add(node, name + " must name at least one");
    for (const Node& item : node.items) add(item);
  } else {
    add(node);
  }
}

void read_value(const Node& node, const ParamSpec& spec, const std::string& name, Value& out, ErrorList& errors) {
  out.node = node;
  switch (spec.type) {
    case ParamType::kTextList:
    case ParamType::kNumberList:
      return read_list(node, spec, name, out, errors);
    case ParamType::kTextMap:
      if (!node.is_map()) return errors.add(node, name + " must be a map of names to values");
      for (const auto& [key, item] : node.entries) {
        if (!item.is_scalar()) {
          errors.add(item, name + "." + key + " must be a single value");
        } else {
          out.text_map.emplace_back(key, item.scalar);
        }
      }
      return;
    case ParamType::kNode:
      if (!spec.fields.empty()) out.nested.push_back(read_params(node, spec.fields, name, errors));
      return;
    default:
      break;
  }
  if (!node.is_scalar()) {
    return errors.add(node, name + " must be a single value of type " + to_string(spec.type));
  }
  const std::string why = read_scalar(node.scalar, spec, out);
  if (why.empty()) return;
  std::string suggestion;
  if (spec.type == ParamType::kChoice) {
    if (const auto near = nearest(node.scalar, spec.choices)) suggestion = "did you mean '" + *near + "'?";
  }
  errors.add(node, name + ": " + shown(spec, node.scalar) + " " + why, suggestion);
}

}  // namespace

const char* to_string(ParamType type) {
  static constexpr std::array<const char*, 11> kNames = {"text",   "number", "integer", "boolean",      "duration", "size",
                                                         "choice", "texts",  "numbers", "map of texts", "section"};
  return kNames[static_cast<std::size_t>(type)];
}

std::optional<std::uint64_t> parse_size(std::string_view s) {
  double scale = 1;
  static constexpr std::array<std::pair<std::string_view, double>, 7> kUnits = {
      {{"KiB", 1024.0}, {"MiB", 1048576.0}, {"GiB", 1073741824.0}, {"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"B", 1.0}}};
  for (const auto& [name, factor] : kUnits) {
    if (s.size() > name.size() && s.ends_with(name)) {
      s.remove_suffix(name.size());
      scale = factor;
      break;
    }
  }
  const auto v = parse_number(s);
  if (!v || !std::isfinite(*v) || *v < 0 || *v * scale > 9e18) return std::nullopt;
  return static_cast<std::uint64_t>(*v * scale);
}

Params read_params(const Node& node, const std::vector<ParamSpec>& specs, const std::string& what, ErrorList& errors,
                   const std::vector<std::string>& also_known) {
  Params params;
  if (!node.is_map() && !node.is_null()) {
    errors.add(node, what + " must be a map of keys to values");
    return params;
  }
  std::vector<std::string> ours;
  for (const ParamSpec& spec : specs) ours.push_back(spec.name);
  std::vector<std::string> known = ours;
  known.insert(known.end(), also_known.begin(), also_known.end());
  for (const auto& [key, value] : node.entries) {
    bool found = false;
    for (const std::string& name : known) found = found || name == key;
    if (found) continue;
    const auto near = nearest(key, known);
    errors.add(value, what + ": unknown key '" + excerpt(key, 60) + "'",
               near ? "did you mean '" + *near + "'?" : "known keys: " + join(ours));
  }
  for (const ParamSpec& spec : specs) {
    const Node* given = node.find(spec.name);
    Value value;
    if (given != nullptr && !given->is_null()) {
      read_value(*given, spec, what + ": " + spec.name, value, errors);
    } else if (!spec.default_text.empty()) {
      Node text = Node::text(spec.default_text);
      text.line = node.line;
      text.column = node.column;
      read_value(text, spec, what + ": " + spec.name, value, errors);
    } else {
      if (spec.required) errors.add(node, what + ": '" + spec.name + "' is missing", spec.sentence);
      if (spec.type != ParamType::kNode || spec.fields.empty()) continue;
      if (given == nullptr) continue;
    }
    params.set(spec.name, std::move(value));
  }
  return params;
}

bool Params::has(std::string_view name) const { return values_.find(name) != values_.end(); }

const Params::Value& Params::get(std::string_view name) const {
  static const Value kEmpty;
  const auto it = values_.find(name);
  return it == values_.end() ? kEmpty : it->second;
}

const std::string& Params::text(std::string_view name) const { return get(name).text; }
double Params::number(std::string_view name) const { return get(name).number; }
std::int64_t Params::integer(std::string_view name) const { return get(name).integer; }
bool Params::boolean(std::string_view name) const { return get(name).boolean; }
Duration Params::duration(std::string_view name) const { return get(name).integer; }
std::uint64_t Params::size(std::string_view name) const { return static_cast<std::uint64_t>(get(name).integer); }
const std::vector<std::string>& Params::texts(std::string_view name) const { return get(name).texts; }
const std::vector<double>& Params::numbers(std::string_view name) const { return get(name).numbers; }
const std::vector<std::pair<std::string, std::string>>& Params::text_map(std::string_view name) const { return get(name).text_map; }
const Node& Params::node(std::string_view name) const { return get(name).node; }
const Params& Params::nested(std::string_view name) const {
  static const Params kNone;
  const Value& value = get(name);
  return value.nested.empty() ? kNone : value.nested.front();
}

std::optional<double> Params::maybe_number(std::string_view name) const {
  return has(name) ? std::optional<double>(number(name)) : std::nullopt;
}
std::optional<std::int64_t> Params::maybe_integer(std::string_view name) const {
  return has(name) ? std::optional<std::int64_t>(integer(name)) : std::nullopt;
}

}  // namespace driftd
