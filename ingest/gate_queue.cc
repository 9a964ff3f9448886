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
  partitions_[partition] = {.expected = position, .begun = position};
}

void GateQueue::add(GateBatch gate) {
  auto batch = std::make_unique<Batch>();
  batch->gate = std::move(gate);
  const RawBatch& raw = *batch->gate.raw;
  batch->bytes = batch->gate.bytes();
  batch->slots.assign(raw.records.size(), Slot{batch.get()});
  bytes_ += batch->bytes;
  Partition& partition = partitions_[raw.partition];
  if (raw.records.front().position < partition.expected) {
    if (partition.anew || !partition.of_the_new(partition.forwarded)) partition.forwarded = -1;
    if (partition.anew) partition.begun = -1;
    partition.tried = -1;
    partition.anew = true;
  } else if (!partition.anew) {
    partition.begun = -1;
  }
  partition.expected = raw.next_position;
  batches_.push_back(std::move(batch));
}

void GateQueue::kill(std::uint32_t partition) {
  partitions_.erase(partition);
  for (const auto& batch : batches_) {
    if (batch->partition() == partition) batch->dead = true;
  }
}

void GateQueue::forwarded(std::uint32_t partition, std::int64_t position) {
  Partition& p = partitions_[partition];
  // Of a topic that was made anew only what we have sent ourselves, before a restart too, can be committed; more is of the old one.
  p.forwarded = p.anew && !p.of_the_new(position) ? -1 : position;
}

void GateQueue::sent() {
  const Batch& batch = *batches_[sent_++];
  partitions_[batch.partition()].tried = batch.gate.raw->next_position;
}

GateQueue::Batch* GateQueue::next() {
  while (sent_ < batches_.size()) {
    Batch& batch = *batches_[sent_];
    const auto& records = batch.gate.raw->records;
    if (!batch.dead) {
      const auto before = [](const RawRecord& r, std::int64_t p) { return r.position < p; };
      const std::int64_t from = partitions_[batch.partition()].forwarded;
      const auto at = std::lower_bound(records.begin(), records.end(), from, before);
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
    bytes_ -= batches_.front()->bytes;
    batches_.pop_front();
  }
}

bool GateQueue::dead_in_transaction() const {
  bool found = false;
  each_sent([&](const Batch& batch) { found = found || batch.dead; });
  return found;
}

std::map<std::uint32_t, std::int64_t> GateQueue::positions() const {
  std::map<std::uint32_t, std::int64_t> out;
  each_sent([&](const Batch& batch) { out[batch.partition()] = batch.gate.raw->next_position; });
  return out;
}

}  // namespace driftd::ingest
