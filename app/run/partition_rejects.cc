#include "app/run/partition_rejects.h"

#include <utility>

#include "core/hash.h"
#include "exporters/prometheus.h"

namespace driftd::app {

void PartitionRejects::extra_field(std::string_view name) {
  const std::uint64_t hash = hash64(name) | 1;
  std::size_t at = hash & (kSlots - 1);
  for (; seen_[at] != 0; at = (at + 1) & (kSlots - 1)) {
    if (seen_[at] == hash) return;
  }
  if (names_ >= kMaxNames) {
    if (!std::exchange(over_, true)) on_extra_(kOtherNames);
    return;
  }
  ++names_;
  seen_[at] = hash;
  on_extra_(exporters::label_value(name));
}

}  // namespace driftd::app
