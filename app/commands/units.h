// Every kind of unit with its descriptors, for `driftd list`, `describe` and docs/UNITS.md.
#pragma once

#include <string>
#include <vector>

#include "core/registry.h"

namespace driftd::app {

struct UnitKind {
  std::string name;    // "check"
  std::string plural;  // "checks"
  std::string sentence;
  std::vector<const Descriptor*> units;
};
const std::vector<UnitKind>& unit_kinds();

// Markdown of one unit, of all of them; with every reason that a finding of a check may give.
std::string describe(const UnitKind& kind, const Descriptor& unit);
std::string units_doc();
// docs/CONFIG.md: every key of a configuration but those of units.
std::string configuration_doc();

}  // namespace driftd::app
