// The list of decoders, made from ingest/decoders.def.
#include "ingest/decoder.h"

namespace driftd::ingest {

#define DECODER(name) void register_##name(DecoderRegistry& registry);
#include "ingest/decoders.def"
#undef DECODER

const DecoderRegistry& decoders() {
  static const DecoderRegistry registry = [] {
    DecoderRegistry r;
#define DECODER(name) register_##name(r);
#include "ingest/decoders.def"
#undef DECODER
    return r;
  }();
  return registry;
}

}  // namespace driftd::ingest
