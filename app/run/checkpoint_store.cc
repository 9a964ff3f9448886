#include "app/run/checkpoint_store.h"

#include "core/bytes.h"
#include "core/hash.h"

namespace driftd::app {

std::uint32_t crc_of(const CheckpointUnit& unit) {
  ByteWriter head;
  head.str(unit.stream);
  head.i64(unit.partition);
  head.i64(unit.position);
  head.str(unit.config_hash);
  return crc32c(unit.state, crc32c(head.bytes()));
}

}  // namespace driftd::app
