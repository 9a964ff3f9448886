#include "ingest/topic_levels.h"

#include <algorithm>
#include <charconv>

namespace driftd::ingest {
namespace {

constexpr std::string_view kPrefix = "@topic/";

}  // namespace

std::uint32_t topic_level(std::string_view path) {
  if (!path.starts_with(kPrefix)) return 0;
  path.remove_prefix(kPrefix.size());
  std::uint32_t level = 0;
  const auto [end, error] = std::from_chars(path.data(), path.data() + path.size(), level);
  const bool whole = error == std::errc() && end == path.data() + path.size();
  return whole && level <= kMaxTopicLevel ? level : 0;
}

std::string_view level_of(std::string_view topic, std::uint32_t level) {
  for (; level > 1; --level) {
    const std::size_t slash = topic.find('/');
    if (slash == std::string_view::npos) return {};
    topic.remove_prefix(slash + 1);
  }
  return topic.substr(0, topic.find('/'));
}

Result<TopicFields> TopicFields::make(const Schema& schema) {
  TopicFields out;
  for (std::uint32_t f = 0; f < schema.fields.size(); ++f) {
    const Field& field = schema.fields[f];
    if (!field.path.starts_with('@')) continue;
    const std::uint32_t level = topic_level(field.path);
    if (level == 0) {
      return Error{ErrorCode::kInvalidArgument, "field '" + field.name + "': '" + field.path +
                                                    "' names nothing; the levels of the topic are @topic/1 to @topic/" +
                                                    std::to_string(kMaxTopicLevel)};
    }
    if (is_numeric(field.kind)) {
      return Error{ErrorCode::kInvalidArgument, "field '" + field.name +
                                                    "': a level of the topic is a category or a "
                                                    "text, not a number"};
    }
    out.fields_.emplace_back(f, level);
  }
  return out;
}

bool TopicFields::has(std::size_t field) const {
  return std::any_of(fields_.begin(), fields_.end(), [&](const auto& entry) { return entry.first == field; });
}

void TopicFields::set(std::string_view topic, std::uint32_t field, std::uint32_t level, BatchBuilder& out) const {
  const std::string_view text = level_of(topic, level);
  if (!text.empty()) out.set_text(field, text);
}

}  // namespace driftd::ingest
