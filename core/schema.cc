#include "core/schema.h"

#include <array>

namespace driftd {
namespace {
constexpr std::array<const char*, 5> kKinds = {"number", "integer", "flag", "category", "text"};
constexpr std::array<const char*, 5> kRoles = {"feature", "segment", "prediction", "label", "id"};
}  // namespace

const char* to_string(FieldKind kind) { return kKinds[static_cast<std::size_t>(kind)]; }
const char* to_string(FieldRole role) { return kRoles[static_cast<std::size_t>(role)]; }

std::optional<FieldKind> field_kind(std::string_view name) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (name == kKinds[i]) return static_cast<FieldKind>(i);
  }
  return std::nullopt;
}

std::optional<FieldRole> field_role(std::string_view name) {
  for (std::size_t i = 0; i < kRoles.size(); ++i) {
    if (name == kRoles[i]) return static_cast<FieldRole>(i);
  }
  return std::nullopt;
}

}  // namespace driftd
