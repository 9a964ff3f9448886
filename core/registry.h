// Units: everything that is added by one file and one line in a .def list (checks, distances,
// detectors, sources, decoders, notifiers, exporters). A Descriptor tells people and machines what
// the unit is; a Registry holds the descriptors of one kind with their factories.
//
// Registries are filled once at start by explicit calls made from the .def lists (no static
// initialisers: a linker may drop those) and are read-only from then on, so they need no lock.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/params.h"

namespace driftd {

// A stable word that a unit puts into Finding::reason or counts under, with its meaning.
struct Reason {
  std::string word;
  std::string meaning;
};

struct Descriptor {
  std::string name;             // as written in the configuration, snake_case
  std::string summary = {};     // one sentence
  std::string applies_to = {};  // kinds of field or stream: "number, integer", "any field", "stream"
  std::vector<ParamSpec> params = {};
  std::string source = {};   // paper, standard or tool whose definition this is
  std::string example = {};  // YAML that a user can paste
  std::vector<Reason> reasons = {};
  std::string notes = {};  // nulls and NaN, cost, when to prefer another
};

// `Factory` is the kind's std::function or function pointer type.
template <class Factory>
class Registry {
 public:
  struct Unit {
    Descriptor descriptor;
    Factory make;
  };

  void add(Descriptor descriptor, Factory make) { units_.push_back({std::move(descriptor), std::move(make)}); }
  const Unit* find(std::string_view name) const {
    for (const Unit& unit : units_) {
      if (unit.descriptor.name == name) return &unit;
    }
    return nullptr;
  }
  const std::vector<Unit>& units() const { return units_; }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const Unit& unit : units_) out.push_back(unit.descriptor.name);
    return out;
  }

 private:
  std::vector<Unit> units_;
};

}  // namespace driftd
