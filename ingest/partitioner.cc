#include "ingest/partitioner.h"

#include <simdjson.h>

#include "core/hash.h"
#include "ingest/json_path.h"
#include "ingest/json_token.h"
#include "ingest/topic_levels.h"

namespace driftd::ingest {
namespace {

namespace od = simdjson::ondemand;

constexpr std::size_t kKept = 1 << 20;  // bytes of a payload whose parser is kept for the next one

}  // namespace

// Reads what the decoder reads: of keys given twice the last one, also those that are written with escapes.
struct Partitioner::Parser {
  od::parser parser;
  std::string padded;
  PathTree tree;
  std::string sensor;

  // The sensor's text; empty when there is none.
  std::string_view find(std::string_view payload) {
    sensor.clear();
    padded.assign(payload);
    padded.append(simdjson::SIMDJSON_PADDING, ' ');
    od::document document;
    od::object object;
    if (parser.iterate(padded.data(), payload.size(), padded.size()).get(document) || document.get_object().get(object)) return {};
    members(object, tree.root());
    return sensor;
  }

 private:
  // False: what comes behind cannot be read. Recursion follows the path, never the data.
  bool members(od::object& object, const PathNode& node) {
    for (auto member : object) {
      if (member.error()) return false;
      std::string_view key;
      if (member.unescaped_key().get(key)) continue;
      for (const PathNode& child : node.children) {
        od::value v;
        if (child.key == key && (member.value().get(v) || !take(v, child))) return false;
      }
    }
    return true;
  }

  bool elements(od::array& array, const PathNode& node) {
    std::int64_t index = 0;
    for (auto element : array) {
      od::value v;
      if (element.get(v)) return false;
      for (const PathNode& child : node.children) {
        if (child.index == index && !take(v, child)) return false;
      }
      ++index;
    }
    return true;
  }

  bool take(od::value& v, const PathNode& node) {
    sensor.clear();  // the one under the same key before is replaced
    const std::string_view token = trimmed(v.raw_json_token());
    if (token.empty()) return false;
    if (token.front() == '{' || token.front() == '[') {
      if (!node.is_container()) return true;
      od::object object;
      od::array array;
      if (token.front() == '{') return !v.get_object().get(object) && members(object, node);
      return !v.get_array().get(array) && elements(array, node);
    }
    if (node.is_container()) return true;
    std::string_view text;
    if (token.front() == '"') {
      if (v.get_string().get(text)) return false;
      sensor = text;
    } else if (is_json_integer(token)) {
      sensor = token;  // counts as its digits, as for the decoder
    }
    return true;
  }
};

Partitioner::Partitioner(const std::string& sensor, std::uint32_t partitions) : topic_level_(topic_level(sensor)), partitions_(partitions) {
  if (sensor.empty() || sensor.starts_with('@')) return;
  sensor_ = sensor;
  make_parser();
}

Partitioner::~Partitioner() = default;

void Partitioner::make_parser() {
  parser_ = std::make_unique<Parser>();
  (void)parser_->tree.add(sensor_, 0);  // a path that is none finds nothing; the decoder has refused it
}

std::uint32_t Partitioner::operator()(std::string_view topic, std::string_view payload) {
  std::string_view name = topic_level_ > 0 ? level_of(topic, topic_level_) : topic;
  if (parser_ != nullptr) {
    const std::string_view sensor = parser_->find(payload);
    if (!sensor.empty()) name = sensor;
  }
  const auto partition = static_cast<std::uint32_t>(hash64(name) % partitions_);
  if (parser_ != nullptr && payload.size() > kKept) make_parser();
  return partition;
}

}  // namespace driftd::ingest
