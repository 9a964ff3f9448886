#include "app/run/lost_partitions.h"

#include <algorithm>

namespace driftd::app {

void LostPartitions::lost(const std::string& stream, std::uint32_t partition, std::int64_t position) {
  const std::scoped_lock lock(mutex_);
  std::int64_t& furthest = by_stream_[stream][partition];
  furthest = std::max(furthest, position);
}

void LostPartitions::saved(const std::string& stream, std::uint32_t partition, std::int64_t position) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(by_stream_[stream], [&](const auto& one) { return one.first == partition && position >= one.second; });
}

void LostPartitions::forget(const std::string& stream, std::uint32_t partition) {
  const std::scoped_lock lock(mutex_);
  by_stream_[stream].erase(partition);
}

void LostPartitions::assigned(const std::string& stream, const std::set<std::uint32_t>& partitions) {
  const std::scoped_lock lock(mutex_);
  std::erase_if(by_stream_[stream], [&](const auto& one) { return partitions.count(one.first) == 0; });
}

void LostPartitions::forget(const std::string& stream) {
  const std::scoped_lock lock(mutex_);
  by_stream_.erase(stream);
}

std::string LostPartitions::why_behind(const std::string& stream) const {
  const std::scoped_lock lock(mutex_);
  const auto found = by_stream_.find(stream);
  if (found == by_stream_.end() || found->second.empty()) return {};
  return "partition " + std::to_string(found->second.begin()->first) + " was lost, and has not come as far again";
}

}  // namespace driftd::app
