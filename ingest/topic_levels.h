// Topic levels: parts of a record's topic that stand for its sensor or for a field, as "@topic/2"
// in the configuration for the second level of "plant/hall-3/pump-7" ("hall-3").
//
// Levels are divided by '/' and counted from 1 (MQTT 5, 4.7.1.1: a leading '/' makes an empty first
// level). A level that the topic has not is missing. Thread-safety: const calls are.
#pragma once

#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

#include "core/batch.h"
#include "core/raw_batch.h"
#include "core/result.h"

namespace driftd::ingest {

inline constexpr std::uint32_t kMaxTopicLevel = 128;

// The level that `path` ("@topic/N") names; 0 when it is no such path, or a wrong one.
std::uint32_t topic_level(std::string_view path);

// Empty when the topic has fewer levels.
std::string_view level_of(std::string_view topic, std::uint32_t level);

// The fields of a stream that stand in its topics.
class TopicFields {
 public:
  // Refuses "@" paths that name nothing.
  static Result<TopicFields> make(const Schema& schema);

  // Whether field number `field` stands in the topic, so that no decoder looks for it elsewhere.
  bool has(std::size_t field) const;

  // Sets them in the open row. Cost: one scan of the topic a field.
  void fill(const RawRecord& record, BatchBuilder& out) const {
    for (const auto& [field, level] : fields_) set(record.topic, field, level, out);
  }

 private:
  void set(std::string_view topic, std::uint32_t field, std::uint32_t level, BatchBuilder& out) const;

  std::vector<std::pair<std::uint32_t, std::uint32_t>> fields_;  // number, level
};

}  // namespace driftd::ingest
