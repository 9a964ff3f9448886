// The list of distances, made from stats/distances.def.
#include "stats/distance.h"

namespace driftd::stats {

#define DISTANCE(name) void register_##name(DistanceRegistry& registry);
#include "stats/distances.def"
#undef DISTANCE

const DistanceRegistry& distances() {
  static const DistanceRegistry registry = [] {
    DistanceRegistry r;
#define DISTANCE(name) register_##name(r);
#include "stats/distances.def"
#undef DISTANCE
    return r;
  }();
  return registry;
}

}  // namespace driftd::stats
