#include "ingest/partitioner.h"

#include <simdjson.h>

#include "core/hash.h"
#include "ingest/json_token.h"
#include "ingest/topic_levels.h"

namespace driftd::ingest {
namespace {

namespace od = simdjson::ondemand;

constexpr std::size_t kKept = 1 << 20;  // bytes of a payload whose parser is kept for the next one

// A top-level name as the JSON pointer that leads to it (RFC 6901).
std::string as_pointer(const std::string& path) {
  if (path.starts_with('/')) return path;
  std::string out = "/";
  for (const char c : path) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

}  // namespace

struct Partitioner::Parser {
  od::parser parser;
  std::string padded;

  // The sensor's text; empty when there is none.
  std::string_view find(const std::string& pointer, std::string_view payload) {
    padded.assign(payload);
    padded.append(simdjson::SIMDJSON_PADDING, ' ');
    od::document document;
    if (parser.iterate(padded.data(), payload.size(), padded.size()).get(document)) return {};
    od::value value;
    if (document.at_pointer(pointer).get(value)) return {};
    std::string_view text;
    if (!value.get_string().get(text)) return text;
    // A sensor may be an integer, and then counts as its digits, as for the decoder.
    text = trimmed(value.raw_json_token());
    return is_json_integer(text) ? text : std::string_view();
  }
};

Partitioner::Partitioner(const std::string& sensor, std::uint32_t partitions) : topic_level_(topic_level(sensor)), partitions_(partitions) {
  if (sensor.empty() || sensor.starts_with('@')) return;
  parser_ = std::make_unique<Parser>();
  pointer_ = as_pointer(sensor);
}

Partitioner::~Partitioner() = default;

std::uint32_t Partitioner::operator()(std::string_view topic, std::string_view payload) {
  std::string_view name = topic_level_ > 0 ? level_of(topic, topic_level_) : topic;
  if (parser_ != nullptr) {
    const std::string_view sensor = parser_->find(pointer_, payload);
    if (!sensor.empty()) name = sensor;
  }
  const auto partition = static_cast<std::uint32_t>(hash64(name) % partitions_);
  if (parser_ != nullptr && payload.size() > kKept) parser_ = std::make_unique<Parser>();
  return partition;
}

}  // namespace driftd::ingest
