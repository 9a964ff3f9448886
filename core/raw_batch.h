// RawBatch: undecoded records as a source hands them over, in order, of one partition.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/time.h"

namespace driftd {

struct RawRecord {
  std::string_view payload;   // the bytes; nothing (a Kafka tombstone) is a reject: empty_payload
  std::string_view key;       // Kafka key, MQTT topic level chosen by the configuration; may be empty
  std::string_view topic;     // Kafka topic or MQTT topic; empty for files
  Time arrival = kNoTime;     // when the source's keeper took it (Kafka timestamp, journal); stored
                              // with the record, so that a replay sees the same
  Clock::Behind behind;       // how far `arrival` may be behind; stored with it
  std::int64_t position = 0;  // offset, journal sequence or row number; grows within a partition
};

struct RawBatch {
  std::uint32_t partition = 0;
  std::vector<RawRecord> records;  // views into `arena` or into memory that `owner` keeps alive
  std::string arena;               // append-only while the batch is filled; reserve before viewing
  std::int64_t next_position = 0;  // where the source would continue after this batch
  std::shared_ptr<void> owner;     // what the views point into, when not the arena
};

}  // namespace driftd
