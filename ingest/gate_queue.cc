#include "ingest/gate_queue.h"

#include <algorithm>

namespace driftd::ingest {
namespace {

// Of a record beside its payload and key, about: the client's messages in and out, headers.
constexpr std::size_t kRecordBytes = 512;

}  // namespace

std::size_t GateBatch::bytes() const {
  std::size_t sum = kRecordBytes * (raw->records.size() + marks.size());
  for (const RawRecord& record : raw->records) sum += record.payload.size() + record.key.size();
  return sum;
}

std::uint32_t GateQueue::Slot::record() const { return static_cast<std::uint32_t>(this - batch->slots.data()); }

void GateQueue::expect(std::uint32_t partition, std::int64_t position) {
  partitions_[partition] = {.begun = position, .expected = position};
}

bool GateQueue::add(GateBatch gate) {
  auto batch = std::make_unique<Batch>();
  batch->gate = std::move(gate);
  const RawBatch& raw = *batch->gate.raw;
  batch->bytes = batch->gate.bytes();
  batch->slots.assign(raw.records.size(), Slot{batch.get()});
  bytes_ += batch->bytes;
  Partition& partition = partitions_[raw.partition];
  const bool back = raw.records.front().position < partition.expected;
  if (back) {
    ++partition.lap;
    partition.sure = false;
  }
  batch->lap = partition.lap;
  partition.expected = raw.next_position;
  batches_.push_back(std::move(batch));
  return back;
}

void GateQueue::kill(std::uint32_t partition) {
  partitions_.erase(partition);
  for (const auto& batch : batches_) {
    if (batch->partition() == partition) batch->dead = true;
  }
}

void GateQueue::forwarded(std::uint32_t partition, std::int64_t position) {
  Partition& p = partitions_[partition];
  p.forwarded = position;
  p.forwarded_lap = p.lap;
  p.sure = true;
}

bool GateQueue::forwarded_to(std::uint32_t partition, std::int64_t position, const RecordMark& mark) {
  Partition& p = partitions_[partition];
  for (const auto& batch : batches_) {
    if (batch->dead || batch->partition() != partition) continue;
    const auto& records = batch->gate.raw->records;
    const auto at = std::lower_bound(records.begin(), records.end(), mark.position,
                                     [](const RawRecord& r, std::int64_t wanted) { return r.position < wanted; });
    if (at == records.end() || at->position != mark.position || mark_of(*at) != mark) continue;
    p.forwarded = position;
    p.forwarded_lap = batch->lap;
    p.sure = batch->lap == p.lap;
    return true;
  }
  return false;
}

bool GateQueue::went_back(std::uint32_t partition) const {
  const auto found = partitions_.find(partition);
  return found != partitions_.end() && found->second.lap > 0;
}

bool GateQueue::in_doubt(std::uint32_t partition, std::int64_t position) const {
  const auto found = partitions_.find(partition);
  if (found == partitions_.end() || found->second.sure) return false;
  return found->second.lap > 0 || position > found->second.begun;
}

GateQueue::Batch* GateQueue::next() {
  while (sent_ < batches_.size()) {
    Batch& batch = *batches_[sent_];
    const auto& records = batch.gate.raw->records;
    if (!batch.dead) {
      const auto before = [](const RawRecord& r, std::int64_t p) { return r.position < p; };
      const Partition& partition = partitions_[batch.partition()];
      const std::int64_t lap = batch.lap;
      const auto at = lap < partition.forwarded_lap   ? records.end()
                      : lap > partition.forwarded_lap ? records.begin()
                                                      : std::lower_bound(records.begin(), records.end(), partition.forwarded, before);
      batch.first = static_cast<std::uint32_t>(at - records.begin());
      if (at != records.end()) return &batch;
    }
    bytes_ -= batch.bytes;
    batches_.erase(batches_.begin() + static_cast<std::ptrdiff_t>(sent_));
  }
  return nullptr;
}

void GateQueue::committed() {
  for (; sent_ > 0; --sent_) {
    const Batch& batch = *batches_.front();
    if (const auto p = partitions_.find(batch.partition()); !batch.dead && p != partitions_.end() && p->second.lap == batch.lap) {
      p->second.sure = true;
    }
    bytes_ -= batch.bytes;
    batches_.pop_front();
  }
}

bool GateQueue::dead_in_transaction() const {
  bool found = false;
  each_sent([&](const Batch& batch) { found = found || batch.dead; });
  return found;
}

std::map<std::uint32_t, const RawBatch*> GateQueue::newest_sent() const {
  std::map<std::uint32_t, const RawBatch*> out;
  each_sent([&](const Batch& batch) { out[batch.partition()] = batch.gate.raw.get(); });
  return out;
}

}  // namespace driftd::ingest
