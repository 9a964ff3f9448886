// Partitioner: the virtual partition of a record that comes without one (MQTT, HTTP).
//
// By its sensor where the stream's sensor path finds one in the JSON payload, else by its topic (or
// the level of it that is the sensor), so that all records of a sensor are in one partition. The
// hash is stored (partitions hold state), so it never changes. Thread-safety: none. Cost: a parse
// of the payload's structure to its end, or one hash.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace driftd::ingest {

class Partitioner {
 public:
  // `sensor` as in the stream's `decode.sensor`; see DecodeOptions.
  Partitioner(const std::string& sensor, std::uint32_t partitions);
  ~Partitioner();
  std::uint32_t operator()(std::string_view topic, std::string_view payload);

 private:
  struct Parser;
  void make_parser();

  std::unique_ptr<Parser> parser_;  // null: by topic
  std::string sensor_;              // its path, where there is a parser
  std::uint32_t topic_level_;       // 0: the whole topic
  std::uint32_t partitions_;
};

}  // namespace driftd::ingest
