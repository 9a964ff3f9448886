// GateSender: the records of a batch as messages of a Kafka transaction: payload, key, timestamp and
// headers as they came, the gate's own headers behind them, to the topic that the verdict says.
// Thread-safety: none. Cost: one header list and one message a record.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "ingest/gate_headers.h"
#include "ingest/gate_queue.h"
#include "ingest/kafka_transaction.h"

namespace driftd::ingest {

class GateSender {
 public:
  static constexpr std::array<const char*, 5> kResults = {"valid", "invalid", "reject", "stub", "refused"};
  using Counts = std::array<std::uint64_t, kResults.size()>;

  GateSender(std::string stream, const GateSettings& settings)
      : stream_(std::move(stream)), valid_(settings.valid), invalid_(settings.invalid) {}

  // What the transaction needs to know of the messages made here.
  static KafkaTransaction::Hooks hooks();

  // Sends what was not forwarded before; false when the transaction cannot take it, with
  // transaction.why(). The batch must stay until the transaction has ended.
  bool send(GateQueue::Batch& batch, KafkaTransaction& transaction, Counts& counts);

 private:
  bool send(GateQueue::Slot& slot, const GateMark* mark, const std::string& reference, KafkaTransaction& transaction);

  std::string stream_, valid_, invalid_;
  GateHeaders headers_;
};

}  // namespace driftd::ingest
