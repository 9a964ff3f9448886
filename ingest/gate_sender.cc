#include "ingest/gate_sender.h"

#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <memory>

#include "core/clock.h"
#include "ingest/kafka_partitions.h"

namespace driftd::ingest {
namespace {

using Outcome = KafkaTransaction::Outcome;
using Way = GateQueue::Way;

constexpr Duration kRoomWithin = 5 * kSecond;

std::int32_t partition_of(void* opaque, std::int32_t count) {
  const auto* slot = static_cast<const GateQueue::Slot*>(opaque);
  return KafkaPartitions::id_of(slot->batch->partition()) % count;
}

void on_refused(void* opaque, const char* why) {
  auto& slot = *static_cast<GateQueue::Slot*>(opaque);
  slot.refused = why;
  if (slot.way != Way::kSkipped) slot.way = static_cast<Way>(static_cast<int>(slot.way) + 1);
}

struct HeadersDeleter {
  void operator()(rd_kafka_headers_t* headers) const { rd_kafka_headers_destroy(headers); }
};

std::size_t result_of(const GateMark* mark, Way way) {
  if (way == Way::kStub) return 3;
  if (way == Way::kSkipped) return 4;
  return mark == nullptr ? 0 : mark->rejected ? 2 : 1;
}

}  // namespace

KafkaTransaction::Hooks GateSender::hooks() { return {.partition_of = partition_of, .on_refused = on_refused}; }

bool GateSender::send(GateQueue::Batch& batch, KafkaTransaction& transaction, Counts& counts) {
  const GateBatch& gate = batch.gate;
  auto mark =
      std::lower_bound(gate.marks.begin(), gate.marks.end(), batch.first, [](const GateMark& m, std::uint32_t r) { return m.record < r; });
  static const std::string kNone;
  std::size_t reference = 0;  // the next one
  for (std::uint32_t r = batch.first; r < batch.slots.size(); ++r) {
    while (reference < gate.references.size() && gate.references[reference].from <= r) ++reference;
    const std::string& name = reference == 0 ? kNone : gate.references[reference - 1].name;
    const bool marked = mark != gate.marks.end() && mark->record == r;
    const GateMark* why = marked ? &*mark++ : nullptr;
    GateQueue::Slot& slot = batch.slots[r];
    const bool wanted = why != nullptr || !valid_.empty() || slot.way == Way::kStub;
    if (slot.way != Way::kSkipped && wanted && !send(slot, why, name, transaction)) return false;
    ++counts[result_of(why, slot.way)];
  }
  return true;
}

bool GateSender::send(GateQueue::Slot& slot, const GateMark* mark, const std::string& reference, KafkaTransaction& transaction) {
  const bool stub = slot.way == Way::kStub;
  const bool alone = slot.way != Way::kAsItIs;
  const RawBatch& raw = *slot.batch->gate.raw;
  // A gate gets the batches of its own source, and this is what keeps their messages.
  const rd_kafka_message_t& from = (*static_cast<const KafkaMessages*>(raw.owner.get()))[slot.record()];
  gate_headers(stream_, raw.records[slot.record()].topic, from.partition, from.offset, reference, mark, stub ? slot.refused : "", headers_);
  rd_kafka_headers_t* had = nullptr;
  const bool has = rd_kafka_message_headers(&from, &had) == RD_KAFKA_RESP_ERR_NO_ERROR;
  std::unique_ptr<rd_kafka_headers_t, HeadersDeleter> headers(has && !stub ? rd_kafka_headers_copy(had)
                                                                           : rd_kafka_headers_new(headers_.all.size()));
  for (const auto& [name, value] : headers_.all) {
    rd_kafka_header_add(headers.get(), name, -1, value.data(), static_cast<ssize_t>(value.size()));
  }
  rd_kafka_timestamp_type_t type;
  const std::int64_t millis = rd_kafka_message_timestamp(&from, &type);
  const bool timed = type != RD_KAFKA_TIMESTAMP_NOT_AVAILABLE && millis > 0 && !stub;
  const KafkaTransaction::Message message{.topic = mark == nullptr && !stub ? &valid_ : &invalid_,
                                          .payload = stub ? nullptr : from.payload,
                                          .size = stub ? 0 : from.len,
                                          .key = from.key,
                                          .key_size = from.key_len,
                                          .millis = timed ? millis : 0,
                                          .headers = headers.get(),
                                          .opaque = &slot};
  if (alone && transaction.flush() != Outcome::kDone) return false;
  Outcome outcome = transaction.send(message);
  for (const Deadline deadline = Deadline::after(kRoomWithin); outcome == Outcome::kAgain && !deadline.passed();) {
    outcome = transaction.send(message);
  }
  if (outcome != Outcome::kDone) return false;
  (void)headers.release();  // now the producer's
  return !alone || transaction.flush() == Outcome::kDone;
}

}  // namespace driftd::ingest
