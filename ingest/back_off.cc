#include "ingest/back_off.h"

#include <algorithm>

namespace driftd::ingest {

BackOff::BackOff(Duration first, Duration longest, std::uint64_t seed) : first_(first), longest_(longest), random_(seed) {}

void BackOff::failed(Duration now) {
  Duration most = first_;
  for (int i = 0; i < failures_ && most < longest_; ++i) most *= 2;
  most = std::min(most, longest_);
  if (most < longest_) ++failures_;
  next_try_ = now + std::uniform_int_distribution<Duration>(most / 2, most)(random_);
}

}  // namespace driftd::ingest
