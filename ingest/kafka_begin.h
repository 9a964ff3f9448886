// KafkaBegin: where a gate's first start with `latest` begins, until the group has it.
//
// What comes from there on must be forwarded even when driftd is killed before the first transaction, so the group must
// have the position before the first record is read. A commit that was given up after a while could still be sent later,
// and set the group back behind what transactions have committed since: so each is asked once, waited for for as long as
// it takes, and asked again only when it was refused.
//
// Thread-safety: none; polling thread. Errors: what is refused is logged once and asked again; waits() says that it waits.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/time.h"
#include "ingest/kafka_client.h"

struct rd_kafka_queue_s;

namespace driftd::ingest {

class KafkaBegin {
 public:
  // `folder_id` goes with what is committed.
  KafkaBegin(KafkaHandle client, std::string stream, std::string folder_id);

  // The partition begins at `offset`; given again, there.
  void begin(std::uint32_t number, const std::string& topic, std::int32_t partition, std::int64_t offset);
  // It is not ours any more, or begins elsewhere.
  void forget(std::uint32_t number) { waiting_.erase(number); }
  bool waits(std::uint32_t number) const { return waiting_.count(number) != 0; }
  // For people; empty: nothing waits.
  std::string trouble() const;

  // To be called often, until there is none. Waits for nothing. Of those that the group has now, one.
  struct Begun {
    std::uint32_t number;
    std::int64_t offset;
  };
  std::optional<Begun> next();

 private:
  struct QueueDeleter {
    void operator()(rd_kafka_queue_s* queue) const;
  };
  struct Waiting {
    std::string topic;
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    Duration ask_at = 0;  // monotonic
  };
  void ask();

  KafkaHandle client_;
  std::string stream_, folder_id_, why_;
  std::unique_ptr<rd_kafka_queue_s, QueueDeleter> answers_;
  std::map<std::uint32_t, Waiting> waiting_;
  std::map<std::pair<std::string, std::int32_t>, std::uint32_t> asked_;  // no answer yet, also of those forgotten since
};

}  // namespace driftd::ingest
