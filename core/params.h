// Parameters: a table of ParamSpec says what a unit (or a section of the configuration) accepts;
// read_params turns a Node into typed, bounded values or into errors with line and column.
// The same table makes `driftd describe`, the JSON Schema and docs/UNITS.md.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/node.h"
#include "core/time.h"

namespace driftd {

enum class ParamType {
  kText,
  kNumber,      // finite double
  kInteger,     // 64-bit
  kBoolean,     // true | false
  kDuration,    // "30s"
  kSize,        // bytes: "64KiB", "1MiB", "2GiB" or a plain number
  kChoice,      // one of `choices`
  kTextList,    // a list of texts; a single text counts as a list of one
  kNumberList,  // a list of numbers
  kTextMap,     // text -> text, free keys
  kNode,        // anything; the unit reads the Node itself (spec.fields may describe its entries)
};
const char* to_string(ParamType type);

struct ParamSpec {
  std::string name;
  ParamType type = ParamType::kText;
  std::string sentence;           // what it means, with its unit; one sentence, no full stop
  std::string default_text = {};  // as one would write it in YAML; empty: no default
  bool required = false;
  std::optional<double> min = {};         // inclusive; numbers, integers, durations (seconds), sizes
  std::optional<double> max = {};         // inclusive
  std::vector<std::string> choices = {};  // kChoice; for kTextList the allowed texts, if any
  std::vector<ParamSpec> fields = {};     // kNode: a nested table, checked when not empty
  bool secret = false;                    // never shown
};

// Typed values by name. A name that has neither a value nor a default reads as empty, zero or false:
// ask has() or maybe_...() where that differs from a value that was given.
class Params {
 public:
  bool has(std::string_view name) const;
  const std::string& text(std::string_view name) const;
  double number(std::string_view name) const;
  std::int64_t integer(std::string_view name) const;
  bool boolean(std::string_view name) const;
  Duration duration(std::string_view name) const;
  std::uint64_t size(std::string_view name) const;
  const std::vector<std::string>& texts(std::string_view name) const;
  const std::vector<double>& numbers(std::string_view name) const;
  const std::vector<std::pair<std::string, std::string>>& text_map(std::string_view name) const;
  const Node& node(std::string_view name) const;      // the value as it was written
  const Params& nested(std::string_view name) const;  // kNode with fields

  std::optional<double> maybe_number(std::string_view name) const;
  std::optional<std::int64_t> maybe_integer(std::string_view name) const;

  struct Value {
    std::string text;
    double number = 0;
    std::int64_t integer = 0;
    bool boolean = false;
    std::vector<std::string> texts;
    std::vector<double> numbers;
    std::vector<std::pair<std::string, std::string>> text_map;
    Node node;
    std::vector<Params> nested;  // at most one
  };
  void set(std::string name, Value value) { values_[std::move(name)] = std::move(value); }

 private:
  const Value& get(std::string_view name) const;
  std::map<std::string, Value, std::less<>> values_;
};

// Reads `node` (a map, or null for "all defaults") by the table. Unknown keys are errors with a
// did-you-mean; missing required keys are errors at the node; all errors are collected. `what` names
// the thing in messages ("check in_range"). Keys in `also_known` are left to the caller.
Params read_params(const Node& node, const std::vector<ParamSpec>& specs, const std::string& what, ErrorList& errors,
                   const std::vector<std::string>& also_known = {});

// "64MiB" -> bytes.
std::optional<std::uint64_t> parse_size(std::string_view text);

}  // namespace driftd
