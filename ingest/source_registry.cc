// The list of sources, made from ingest/sources.def.
#include "ingest/source.h"

namespace driftd::ingest {

#define SOURCE(name) void register_##name(SourceRegistry& registry);
#include "ingest/sources.def"
#undef SOURCE

const SourceRegistry& sources() {
  static const SourceRegistry registry = [] {
    SourceRegistry r;
#define SOURCE(name) register_##name(r);
#include "ingest/sources.def"
#undef SOURCE
    return r;
  }();
  return registry;
}

}  // namespace driftd::ingest
