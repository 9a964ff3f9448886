// Schema: the fields of a stream, as its configuration declares them.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace driftd {

enum class FieldKind {
  kNumber,    // a finite double
  kInteger,   // a whole number, kept as a double (exact to 2^53)
  kFlag,      // true/false, kept as 1/0
  kCategory,  // one of few texts, interned
  kText,      // free text
};

enum class FieldRole { kFeature, kSegment, kPrediction, kLabel, kId };

const char* to_string(FieldKind kind);
const char* to_string(FieldRole role);
std::optional<FieldKind> field_kind(std::string_view name);
std::optional<FieldRole> field_role(std::string_view name);

// Kinds whose cells are doubles in Column::numbers.
inline bool is_numeric(FieldKind kind) { return kind == FieldKind::kNumber || kind == FieldKind::kInteger || kind == FieldKind::kFlag; }

struct Field {
  std::string name;
  FieldKind kind = FieldKind::kNumber;
  FieldRole role = FieldRole::kFeature;
  std::string unit = {};         // "celsius"; for people
  std::string path = {};         // where it stands in a record: a JSON pointer or a column name
  bool numbers_in_text = false;  // "21.5" counts as the number 21.5
};

struct Schema {
  std::vector<Field> fields;
  unsigned version = 1;

  std::optional<std::size_t> index_of(std::string_view name) const {
    for (std::size_t i = 0; i < fields.size(); ++i) {
      if (fields[i].name == name) return i;
    }
    return std::nullopt;
  }
};

}  // namespace driftd
