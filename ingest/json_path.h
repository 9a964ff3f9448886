// PathTree: the places in a JSON record that a stream reads, as a tree that is walked together with
// the record, so that one pass over the record finds them all.
//
// A path is a top-level name ("id") or a JSON pointer (RFC 6901: "/meta/id", "/readings/0/value",
// with ~0 for ~ and ~1 for /). Made once from the configuration; read-only but for the hints of
// next_child, so one tree belongs to one decoder.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace driftd::ingest {

inline constexpr std::size_t kMaxPathDepth = 16;

struct PathNode {
  std::string key;                     // as it reads after unescaping
  bool plain = true;                   // no byte of the key would be escaped in JSON
  std::int64_t index = -1;             // the key as an array index; -1 when it is none
  std::vector<std::uint32_t> targets;  // what the value found here is wanted for
  std::vector<PathNode> children;
  std::vector<std::uint32_t> follows;  // [0]: child that came first the last time; [i + 1]: after i

  bool is_container() const { return !children.empty(); }
};

class PathTree {
 public:
  // Adds a place; `target` is the caller's number for it. Refuses paths deeper than kMaxPathDepth,
  // empty ones and damaged escapes.
  Status add(std::string_view path, std::uint32_t target);

  PathNode& root() { return root_; }

 private:
  PathNode root_;
};

// Calls `visit(target)` for every target at or below `node`.
template <class Visit>
void for_each_target(const PathNode& node, const Visit& visit) {
  for (const std::uint32_t target : node.targets) visit(target);
  for (const PathNode& child : node.children) for_each_target(child, visit);
}

// The child whose key stands, unescaped, at `raw` (just behind the opening quote; readable up to
// `end`), or nullptr. Producers write keys in one order, so the child that followed last time is
// tried first: in the steady state that is one comparison a key.
inline PathNode* find_child(PathNode& node, const char* raw, const char* end, std::uint32_t& last) {
  const auto is = [&](const PathNode& child) {
    const std::size_t size = child.key.size();
    return static_cast<std::size_t>(end - raw) > size && raw[size] == '"' && child.plain &&
           std::memcmp(raw, child.key.data(), size) == 0;
  };
  const std::uint32_t guess = node.follows[last];
  if (is(node.children[guess])) {
    last = guess + 1;
    return &node.children[guess];
  }
  for (std::uint32_t i = 0; i < node.children.size(); ++i) {
    if (!is(node.children[i])) continue;
    node.follows[last] = i;
    last = i + 1;
    return &node.children[i];
  }
  return nullptr;
}

}  // namespace driftd::ingest
