#include "ingest/kafka_statistics.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace driftd::ingest {
namespace {

using Json = nlohmann::json;

const Json& at(const Json& object, const char* key) {
  static const Json kNothing;
  if (!object.is_object()) return kNothing;
  const auto it = object.find(key);
  return it == object.end() ? kNothing : *it;
}
std::int64_t number(const Json& object, const char* key) {
  const Json& v = at(object, key);
  return v.is_number_integer() ? v.get<std::int64_t>() : -1;
}
bool is(const Json& object, const char* key, const char* text) {
  const Json& v = at(object, key);
  return v.is_string() && v.get_ref<const std::string&>() == text;
}

}  // namespace

std::optional<KafkaStatistics> read_kafka_statistics(std::string_view json) {
  const Json root = Json::parse(json, nullptr, false);
  if (!root.is_object()) return std::nullopt;
  KafkaStatistics out;
  for (const Json& broker : at(root, "brokers")) out.broker_up = out.broker_up || is(broker, "state", "UP");
  out.group_ready = is(at(root, "cgrp"), "join_state", "steady");
  const Json& topics = at(root, "topics");
  if (!topics.is_object()) return out;
  for (const auto& [name, topic] : topics.items()) {
    for (const Json& partition : at(topic, "partitions")) {
      const std::int64_t id = number(partition, "partition");
      // Negative means unknown. Behind the last stable offset nothing can be read yet.
      const std::int64_t stable = number(partition, "ls_offset");
      const std::int64_t end = stable >= 0 ? stable : number(partition, "hi_offset");
      if (id < 0 || id > INT32_MAX || end < 0) continue;
      out.partitions.push_back({name, static_cast<std::int32_t>(id), end});
    }
  }
  return out;
}

}  // namespace driftd::ingest
