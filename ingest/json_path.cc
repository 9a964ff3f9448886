#include "ingest/json_path.h"

#include <algorithm>

#include "core/text.h"

namespace driftd::ingest {
namespace {

Error bad_path(std::string_view path, const std::string& why) {
  return {ErrorCode::kInvalidArgument, "path '" + excerpt(path) + "' " + why};
}

Result<std::vector<std::string>> segments_of(std::string_view path) {
  if (path.empty()) return bad_path(path, "is empty");
  if (path.front() != '/') return std::vector<std::string>{std::string(path)};
  std::vector<std::string> out;
  for (std::size_t i = 0; i < path.size(); ++i) {
    if (path[i] == '/') {
      out.emplace_back();
    } else if (path[i] != '~') {
      out.back() += path[i];
    } else if (i + 1 < path.size() && (path[i + 1] == '0' || path[i + 1] == '1')) {
      out.back() += path[++i] == '0' ? '~' : '/';
    } else {
      return bad_path(path, "has a ~ that is neither ~0 (a tilde) nor ~1 (a slash)");
    }
  }
  if (out.size() > kMaxPathDepth) {
    return bad_path(path, "is deeper than " + std::to_string(kMaxPathDepth) + " levels");
  }
  return out;
}

// RFC 6901: digits without leading zeros.
std::int64_t index_of(const std::string& key) {
  const auto v = parse_integer(key);
  const bool canonical = v && *v >= 0 && std::to_string(*v) == key;
  return canonical ? *v : -1;
}

PathNode& child_of(PathNode& node, const std::string& key) {
  for (PathNode& child : node.children) {
    if (child.key == key) return child;
  }
  PathNode child;
  child.key = key;
  child.index = index_of(key);
  child.plain = std::none_of(key.begin(), key.end(), [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
  const std::string closed = key + '"';
  for (std::size_t i = 0; i < closed.size() && i < 16; ++i) {
    const std::size_t shift = 8 * (i % 8);
    child.word[i / 8] |= static_cast<std::uint64_t>(static_cast<unsigned char>(closed[i])) << shift;
    child.mask[i / 8] |= std::uint64_t{0xff} << shift;
  }
  node.children.push_back(std::move(child));
  const auto n = static_cast<std::uint32_t>(node.children.size());
  node.follows.assign(n + 1, 0);
  for (std::uint32_t i = 0; i <= n; ++i) node.follows[i] = i < n ? i : 0;
  return node.children.back();
}

}  // namespace

Status PathTree::add(std::string_view path, std::uint32_t target) {
  const auto segments = segments_of(path);
  if (!segments) return segments.error();
  PathNode* node = &root_;
  for (const std::string& key : *segments) node = &child_of(*node, key);
  if (node->target == kNoTarget) {
    node->target = target;
  } else {
    node->more_targets.push_back(target);
  }
  return {};
}

}  // namespace driftd::ingest
