// KafkaPositions: from where a Kafka source reads each partition that it is given: driftd's own position,
// where the group stands, or one end of the topic; and where it goes on when the records at its position
// are gone, or the topic is.
//
// Others of the group, with a store of their own, may have read on while a partition was not ours: then the group
// stands beyond driftd's position, and the offset is not marked as of this folder (folder_id). What was known of the
// partition is of before then, and dropped; it goes on where the group stands, so that no record is judged twice.
// Where the group stands is asked for until it is known; until then the partition is *held* as below.
//
// While a topic is missing its partitions are *held*: nothing of them is taken. When it is there again it is
// compared with what was read before (KafkaTopics). The same one is read on; one that was made anew is read
// from its beginning, which is a gap. One may also be made anew while driftd is down: the newest record before its position
// is read again, and dropped, and one that is another (RecordMark) tells. Thread-safety: none; polling thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ingest/kafka_assignment.h"
#include "ingest/kafka_begin.h"
#include "ingest/kafka_fetch_queues.h"
#include "ingest/kafka_partitions.h"
#include "ingest/kafka_source.h"
#include "ingest/kafka_start.h"
#include "ingest/kafka_topics.h"
#include "ingest/source.h"

struct rd_kafka_topic_partition_s;

namespace driftd::ingest {

class KafkaPositions {
 public:
  // `partitions` and `handler` outlive this. `id`: of the stream's folder.
  KafkaPositions(const KafkaSettings& settings, const SourceContext& context, std::string id, KafkaHandle client,
                 KafkaPartitions& partitions, SourceHandler& handler);
  KafkaPositions(const KafkaPositions&) = delete;
  KafkaPositions& operator=(const KafkaPositions&) = delete;
  // Precondition: the consumer is closed.
  ~KafkaPositions();

  // A gate commits from now on, so where the group stands is where it goes on.
  void gated() { gated_ = true; }

  // The group gives us partitions: asks the handler where to go on and sets each entry's offset. May wait some
  // seconds for the broker.
  void assign(rd_kafka_topic_partition_list_s& list);
  void unassign(const rd_kafka_topic_partition_list_s& list);

  // An error that librdkafka reported; true when it is of a topic that is missing or must not be read. Then it is
  // dealt with here (KafkaTopics::report).
  bool report(int error, const std::string& topic, const std::string& why) { return topics_.report(error, topic, why); }
  // To be called often; may wait some seconds for the broker. Returns what is missing now, for people; empty: nothing.
  std::string watch();
  // Our position is not in the topic any more (retention was faster, or the topic was made anew):
  // goes on at the oldest record there is, and says so. One that is in it is gone on from.
  void close_gap(const rd_kafka_message_s& message);
  // Messages of partitions that were assigned again; the caller's from now on.
  std::vector<rd_kafka_message_s*> left() { return std::exchange(left_, {}); }

 private:
  std::int64_t start() const;
  // Sets each entry's offset by where the group stands. Those for which that cannot be learnt now are held, and asked for
  // again by watch().
  void decide(const std::vector<rd_kafka_topic_partition_s*>& entries, int patience_millis);
  std::optional<std::int64_t> offset_of(std::uint32_t number, const GroupPosition& group, bool known_topic, std::int64_t end);
  void ask_again();
  std::string waits_for_group() const;
  // The topic of a held partition is there again.
  void go_on(KafkaPartitions::Partition& partition, bool same);
  void begin_at_oldest(KafkaPartitions::Partition& partition, std::int64_t oldest);
  void begin_at(KafkaPartitions::Partition& ours, std::int64_t offset);
  void take_begun();
  void note_starts(const rd_kafka_topic_partition_list_s& list);
  void restart(const rd_kafka_topic_partition_list_s& list);

  std::string stream_;
  Telemetry* telemetry_;
  bool from_latest_;
  bool gated_ = false;
  KafkaHandle client_;
  KafkaPartitions& partitions_;
  SourceHandler& handler_;
  KafkaTopics topics_;
  KafkaAssignment assignment_;
  std::string id_;
  KafkaBegin begin_;
  std::set<std::string> known_topics_;  // driftd or its group has a position in one of their partitions
  std::set<std::uint32_t> undecided_;   // held until it is known where the group stands
  std::set<std::uint32_t> moved_;       // what driftd had of them was of another topic
  std::set<std::uint32_t> unbegun_;     // came with their topic, whose end here could not be learnt yet; ours or not
  Duration next_ask_ = 0;               // monotonic
  std::vector<rd_kafka_message_s*> left_;
  std::unique_ptr<KafkaFetchQueues> queues_;
};

}  // namespace driftd::ingest
