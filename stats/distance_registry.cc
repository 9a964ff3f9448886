// The list of distances, made from stats/distances.def.
#include "stats/distance.h"

#include <algorithm>

namespace driftd::stats {

#define DISTANCE(name) void register_##name(DistanceRegistry& registry);
#include "stats/distances.def"
#undef DISTANCE

std::vector<Reason> score_reasons(const std::vector<std::string_view>& words) {
  static const std::vector<Reason> known = {
      {"too_few_samples", "too few valid values, in the window or in the reference"},
      {"not_numeric", "the metric needs numbers, and the field is a category"},
      {"constant_reference", "the reference has one single value, which gives the metric no scale"},
      {"not_defined", "the metric is not defined for these bins: it is infinite, or they are too many or without sums"},
      {"overflow", "the values are so large that the result is no finite number"}};
  std::vector<Reason> out;
  for (const Reason& r : known) {
    if (std::find(words.begin(), words.end(), r.word) != words.end()) out.push_back(r);
  }
  return out;
}

namespace {
constexpr const char* kNulls =
    " Only valid values count, in the window and in the reference: missing, null, NaN, infinity and wrong types are left out.";
}  // namespace

const DistanceRegistry& distances() {
  static const DistanceRegistry registry = [] {
    DistanceRegistry r;
#define DISTANCE(name) register_##name(r);
#include "stats/distances.def"
#undef DISTANCE
    // What holds for all of them is said once.
    DistanceRegistry described;
    for (DistanceRegistry::Unit unit : r.units()) {
      unit.descriptor.notes += kNulls;
      described.add(std::move(unit.descriptor), std::move(unit.make));
    }
    return described;
  }();
  return registry;
}

}  // namespace driftd::stats
