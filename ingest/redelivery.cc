#include "ingest/redelivery.h"

#include "core/hash.h"

namespace driftd::ingest {

std::uint64_t Redeliveries::key(std::uint32_t packet_id, std::string_view topic, std::string_view payload) {
  return hash64(payload, hash64(topic, packet_id));
}

void Redeliveries::journaled(std::uint32_t packet_id, std::string_view topic, std::string_view payload) {
  if (packet_id == 0) return;  // QoS 0 is never sent again
  newest_.push_back(key(packet_id, topic, payload));
  if (newest_.size() > capacity_) newest_.pop_front();
}

void Redeliveries::connected(bool same_session) {
  open_.clear();
  left_ = newest_.size();
  if (same_session) {
    for (const std::uint64_t k : newest_) ++open_[k];
  } else {
    newest_.clear();
  }
}

bool Redeliveries::recognise(bool dup, std::uint32_t packet_id, std::string_view topic, std::string_view payload) {
  if (open_.empty()) return false;
  bool known = false;
  if (dup && packet_id != 0) {
    const auto it = open_.find(key(packet_id, topic, payload));
    known = it != open_.end();
    if (known && --it->second == 0) open_.erase(it);
  }
  if (--left_ == 0) open_.clear();
  return known;
}

}  // namespace driftd::ingest
