// KafkaRecordLookup: finds marked records in their topics, with a client of its own that is kept from call to call, so that what one
// call began the next one goes on with: a link may be so slow that a single answer takes many of them. Thread-safety: none.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/record_mark.h"
#include "ingest/kafka_client.h"
#include "ingest/kafka_fetch_queues.h"

struct rd_kafka_message_s;

namespace driftd::ingest {

struct MarkedRecord {
  std::string topic;
  std::int32_t partition = 0;
  RecordMark mark;
};
enum class RecordFound : std::uint8_t {
  kThere,
  kOther,    // another record is in its place, or the partition ends before it
  kRemoved,  // the partition begins behind it: retention
  kSkipped,  // there is none in its place, but there are newer ones: compaction, or a mark of a transaction
};

class KafkaRecordLookup {
 public:
  explicit KafkaRecordLookup(KafkaConnection connection) : connection_(std::move(connection)) {}
  KafkaRecordLookup(const KafkaRecordLookup&) = delete;
  KafkaRecordLookup& operator=(const KafkaRecordLookup&) = delete;
  // Waits for a name server that does not answer.
  ~KafkaRecordLookup();

  // One an entry, in their order, each of another partition; nullopt: not known yet. Returns when all are, or after `patience_millis`.
  std::vector<std::optional<RecordFound>> find(const std::vector<MarkedRecord>& records, int patience_millis);
  // Why something is not known, as far as that was told.
  const std::string& why() const { return why_; }

 private:
  struct Place {
    RecordMark mark;
    std::optional<RecordFound> found;
    std::uint32_t number = 0;  // of its queues
    bool out_of_range = false;
  };
  using Places = std::map<std::pair<std::string, std::int32_t>, Place>;

  bool open();
  void assign();
  void take(const rd_kafka_message_s& message);
  void look_where_they_end(const Deadline& deadline);
  bool all_found() const;

  KafkaConnection connection_;
  KafkaHandle client_;
  std::unique_ptr<KafkaFetchQueues> queues_;
  Places places_;
  bool assigned_ = false;  // those that are not found
  std::uint32_t next_number_ = 0;
  std::string why_;
};

}  // namespace driftd::ingest
