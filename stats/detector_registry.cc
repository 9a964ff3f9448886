// The list of detectors, made from stats/detectors.def.
#include "stats/detector.h"

namespace driftd::stats {

#define DETECTOR(name) void register_##name(DetectorRegistry& registry);
#include "stats/detectors.def"
#undef DETECTOR

namespace {
constexpr const char* kNulls =
    " Nulls, NaN, wrong types and numbers beyond 1e130, whose squares could overflow, are skipped: it never sees them.";
}  // namespace

const DetectorRegistry& detectors() {
  static const DetectorRegistry registry = [] {
    DetectorRegistry r;
#define DETECTOR(name) register_##name(r);
#include "stats/detectors.def"
#undef DETECTOR
    // What holds for all of them is said once.
    DetectorRegistry described;
    for (DetectorRegistry::Unit unit : r.units()) {
      unit.descriptor.notes += kNulls;
      described.add(std::move(unit.descriptor), std::move(unit.make));
    }
    return described;
  }();
  return registry;
}

}  // namespace driftd::stats
