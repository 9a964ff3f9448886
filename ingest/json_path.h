// PathTree: the places in a JSON record that a stream reads, as a tree that is walked together with
// the record, so that one pass over the record finds them all.
//
// A path is a top-level name ("id") or a JSON pointer (RFC 6901: "/meta/id", "/readings/0/value",
// with ~0 for ~ and ~1 for /). Made once from the configuration; read-only but for the hints of
// next_child, so one tree belongs to one decoder.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace driftd::ingest {

inline constexpr std::size_t kMaxPathDepth = 16;

inline constexpr std::uint32_t kNoTarget = 0xffffffff;

struct PathNode {
  std::string key;                          // as it reads after unescaping
  bool plain = true;                        // no byte of the key would be escaped in JSON
  std::int64_t index = -1;                  // the key as an array index; -1 when it is none
  std::uint32_t target = kNoTarget;         // what the value found here is wanted for
  std::vector<std::uint32_t> more_targets;  // and what else
  std::vector<PathNode> children;
  std::vector<std::uint32_t> follows;  // [0]: child that came first last time; [i + 1]: after i

  // The first 16 bytes of the key with its closing quote, and which of their bits count.
  std::array<std::uint64_t, 2> word{};
  std::array<std::uint64_t, 2> mask{};

  bool is_container() const { return !children.empty(); }

  template <class Visit>
  void each_target(const Visit& visit) const {
    if (target != kNoTarget) visit(target);
    for (const std::uint32_t t : more_targets) visit(t);
  }
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

// Calls `visit(target)` for every target below `node`.
template <class Visit>
void each_target_below(const PathNode& node, const Visit& visit) {
  for (const PathNode& child : node.children) {
    child.each_target(visit);
    each_target_below(child, visit);
  }
}

// Whether the key that stands, unescaped, at `raw` (just behind the opening quote) is the node's.
// Precondition: 16 bytes can be read at `raw`, and so can all bytes before `end`.
inline bool is_key(const PathNode& node, const char* raw, const char* end) {
  std::array<std::uint64_t, 2> word;
  std::memcpy(word.data(), raw, sizeof word);
  if (((word[0] & node.mask[0]) ^ node.word[0]) | ((word[1] & node.mask[1]) ^ node.word[1])) {
    return false;
  }
  const std::size_t size = node.key.size();
  return node.plain &&
         (size < 16 || (static_cast<std::size_t>(end - raw) > size && raw[size] == '"' && std::memcmp(raw, node.key.data(), size) == 0));
}

// The child with this key, or nullptr; see is_key. Producers write keys in one order, so the child
// that followed last time is tried first: in the steady state that is one comparison a key. `last`
// starts at 0 for every object.
inline PathNode* find_child(PathNode& node, const char* raw, const char* end, std::uint32_t& last) {
  if (node.children.empty()) return nullptr;  // a stream that reads nothing of the record but its topic
  const std::uint32_t guess = node.follows[last];
  if (is_key(node.children[guess], raw, end)) {
    last = guess + 1;
    return &node.children[guess];
  }
  for (std::uint32_t i = 0; i < node.children.size(); ++i) {
    if (!is_key(node.children[i], raw, end)) continue;
    node.follows[last] = i;
    last = i + 1;
    return &node.children[i];
  }
  return nullptr;
}

}  // namespace driftd::ingest
