// KafkaPartitions: the topic-partitions that are ours, with the messages that came and are not
// handed over yet. Keeps partitions apart and sees to it that a record is handed over once, in
// order, however messages of an old assignment straggle. Thread-safety: none. Cost: O(1) a message.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ingest/kafka_client.h"
#include "ingest/kafka_record_mark.h"

namespace driftd::ingest {

inline constexpr std::uint32_t kPartitionsPerTopic = 65536;

class KafkaPartitions {
 public:
  static constexpr std::int64_t kNoOffset = -1001;  // librdkafka's RD_KAFKA_OFFSET_INVALID

  struct Partition {
    std::uint32_t number = 0;     // topic's place in the configuration * 65536 + partition
    std::int64_t from = -1;       // where it was told to be read from; may be a logical offset
    std::int64_t taken = -1;      // offset behind the newest message that came; -1: none yet
    std::int64_t position = -1;   // offset behind the newest one handed over; -1: none yet
    std::int64_t committed = -1;  // what commit() was last told; -1: nothing new
    bool held = false;            // what comes is thrown away until it is known where to go on
    bool held_back = false;       // what came waits, and no more is fetched (Source::hold_back)
    std::int64_t known_end = -1;  // where it ended by the newest statistics; -1: not known
    std::int64_t asked_end = -1;  // where it ended when that was asked for last; -1: it was not
    std::int64_t end_seen = -1;   // where the topic ended when everything before it had been read; -1: not yet
    // Of the newest record before `taken`, which is read first, and dropped: to see that the topic is the one that it was.
    std::optional<RecordMark> mark;
    bool anew = false;  // it is not; held
    std::shared_ptr<KafkaMessages> waiting;

    // Where to read from, to go on at `taken`.
    std::int64_t read_from() const { return mark ? mark->position : taken; }

    // Records between what was handed over and `end`; nullopt when not known. A transaction's own marks have
    // offsets too but never come, so what was read to the end is not behind.
    std::optional<std::int64_t> lag(std::int64_t end) const {
      const std::int64_t at = position >= taken ? std::max(position, end_seen) : position;
      return at < 0 ? std::nullopt : std::optional(std::max<std::int64_t>(end - at, 0));
    }
  };

  KafkaPartitions(std::vector<std::string> topics, KafkaHandle handle) : topics_(std::move(topics)), handle_(std::move(handle)) {}

  // nullopt for a topic that is not ours or a partition over the cap.
  std::optional<std::uint32_t> number_of(std::string_view topic, std::int32_t partition) const;
  const std::string& topic_of(std::uint32_t number) const { return topics_[number / kPartitionsPerTopic]; }
  static std::int32_t id_of(std::uint32_t number) { return static_cast<std::int32_t>(number % kPartitionsPerTopic); }

  // Appends a partition to a list; without an offset the list names it only. `by` says whose offset it is (folder_id).
  void add_to(rd_kafka_topic_partition_list_s& list, std::uint32_t number, std::int64_t offset = kNoOffset,
              const std::string& by = {}) const;

  // `position`: nullopt when it is the broker's to say.
  void assign(std::uint32_t number, std::optional<std::int64_t> position);
  // What driftd knows of the newest record before that position, perhaps from before it was started.
  void expect(std::uint32_t number, const RecordMark& mark);
  void unassign(std::uint32_t number);  // what waits is dropped
  Partition* find(std::uint32_t number);
  std::vector<Partition>& all() { return partitions_; }
  // Of a topic, by its place: a partition of which records were handed over, however long ago,
  // and the newest one of them that is known; nullopt: none.
  std::optional<std::pair<std::int32_t, RecordMark>> newest_of(std::uint32_t topic) const;

  // Takes a message over, or destroys it when it is of no partition of ours or came before.
  void take(rd_kafka_message_s* message);

  // librdkafka 2.0 rests from fetching for up to a second when its queue is full (its issue 2879). A
  // request to a partition's leader ends the rest at once: sent for one that goes on for `least` records
  // or more, if there is one; true when it was; nullopt: it does not answer.
  std::optional<bool> wake_fetching(std::size_t least) const;

  // Hands over what waits for one partition, in turn; false when nothing does.
  bool hand_over(RawBatch& out);

 private:
  static void look_at_mark(Partition& partition, const rd_kafka_message_s& message);

  std::vector<std::string> topics_;
  KafkaHandle handle_;
  std::vector<Partition> partitions_;
  std::map<std::uint32_t, RecordMark> newest_;  // handed over, or expected, by number; also of partitions that are not ours now
  std::size_t turn_ = 0;
  std::size_t recent_ = 0;  // place in partitions_ of the newest message's
};

}  // namespace driftd::ingest
