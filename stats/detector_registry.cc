// The list of detectors, made from stats/detectors.def.
#include "stats/detector.h"

namespace driftd::stats {

#define DETECTOR(name) void register_##name(DetectorRegistry& registry);
#include "stats/detectors.def"
#undef DETECTOR

const DetectorRegistry& detectors() {
  static const DetectorRegistry registry = [] {
    DetectorRegistry r;
#define DETECTOR(name) register_##name(r);
#include "stats/detectors.def"
#undef DETECTOR
    return r;
  }();
  return registry;
}

}  // namespace driftd::stats
