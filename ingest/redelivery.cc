#include "ingest/redelivery.h"

#include "core/hash.h"

namespace driftd::ingest {

std::uint64_t Redeliveries::key(std::uint32_t packet_id, std::string_view topic, std::string_view payload) {
  return hash64(payload, hash64(topic, packet_id));
}

void Redeliveries::journaled(std::uint32_t packet_id, std::string_view topic, std::string_view payload) {
  if (packet_id == 0) return;  // QoS 0 is never sent again
  newest_.emplace_back(packet_id, key(packet_id, topic, payload));
  if (newest_.size() > capacity_) newest_.pop_front();
}

void Redeliveries::connected(bool same_session) {
  open_.clear();
  left_ = newest_.size();
  if (same_session) {
    for (const auto& [packet_id, k] : newest_) open_[packet_id] = k;
  } else {
    newest_.clear();
  }
}

bool Redeliveries::recognise(bool dup, std::uint32_t packet_id, std::string_view topic, std::string_view payload) {
  if (open_.empty() || packet_id == 0) return false;  // QoS 0 is never open
  bool known = false;
  if (dup) {
    const auto it = open_.find(packet_id);
    known = it != open_.end() && it->second == key(packet_id, topic, payload);
    if (it != open_.end()) open_.erase(it);
  }
  if (--left_ == 0) open_.clear();
  return known;
}

}  // namespace driftd::ingest
