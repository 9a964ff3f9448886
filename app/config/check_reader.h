// `streams.S.checks`: one entry, with its errors.
#pragma once

#include <set>
#include <string>

#include "app/engine/plan.h"
#include "core/node.h"

namespace driftd::app {

// What errors of the same stream leave open, so that nothing is said that rests on it.
struct Unsure {
  std::set<std::string> fields;  // whose type or role is not known
  bool levels = false;           // which segments windows.by names
};

// Call when fields and windows are read. `taken` has the names of the checks before it, with their fields.
void read_check(const Node& node, StreamConfig& stream, const Unsure& unsure, std::set<std::string>& taken, ErrorList& errors);

}  // namespace driftd::app
