// Finding a unit by the name that was written, with a suggestion when there is none.
#pragma once

#include <string>
#include <vector>

#include "core/node.h"
#include "core/params.h"
#include "core/text.h"

namespace driftd::app {

// null, and an error at `at`, when the registry has no such unit. `hint` wins over the nearest name.
template <class R>
const typename R::Unit* find_unit(const R& registry, const Node& at, const std::string& name, const std::string& what, ErrorList& errors,
                                  const std::string& hint = "") {
  const auto* unit = registry.find(name);
  if (unit != nullptr) return unit;
  const auto near = nearest(name, registry.names());
  errors.add(at, "there is no " + what + " '" + excerpt(name, 60) + "'",
             !hint.empty() ? hint
             : near        ? "did you mean '" + *near + "'?"
                           : "there are: " + join(registry.names()));
  return nullptr;
}

inline std::vector<ParamSpec> both(std::vector<ParamSpec> specs, const std::vector<ParamSpec>& more) {
  specs.insert(specs.end(), more.begin(), more.end());
  return specs;
}

// Item `i` of a list of texts as it was written; a single text counts as a list of one.
inline const Node& item_at(const Node& list, std::size_t i) { return list.is_list() && i < list.items.size() ? list.items[i] : list; }

// Every text that a list has twice, as an error at its second place.
inline void refuse_twice(const std::vector<std::string>& texts, const Node& list, const std::string& what, ErrorList& errors) {
  for (std::size_t i = 1; i < texts.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      if (texts[i] != texts[j]) continue;
      errors.add(item_at(list, i), what + ": '" + excerpt(texts[i], 60) + "' is there twice", "remove one of them");
      break;
    }
  }
}

}  // namespace driftd::app
