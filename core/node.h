// Node: a configuration tree with the place of every value, free of any file format.
//
// app/config turns YAML into Nodes; everything behind it (parameter tables, units, tests) works on
// Nodes, so that every error can say line and column and none depends on a parser.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace driftd {

struct Node {
  enum class Kind { kNull, kScalar, kList, kMap };

  // Defined behind the class: a pair of a name and a Node is complete only there (clang 14 insists).
  Node();
  ~Node();
  Node(const Node&);
  Node(Node&&) noexcept;
  Node& operator=(const Node&);
  Node& operator=(Node&&) noexcept;

  Kind kind = Kind::kNull;
  std::string scalar;                                 // kScalar: the text, environment variables replaced
  bool quoted = false;                                // kScalar: was written in quotes, so "1" is text
  std::vector<Node> items;                            // kList
  std::vector<std::pair<std::string, Node>> entries;  // kMap, in the order of the file
  int line = 0;                                       // of the value, from 1; 0 when it comes from no file
  int column = 0;                                     // from 1

  bool is_null() const { return kind == Kind::kNull; }
  bool is_scalar() const { return kind == Kind::kScalar; }
  bool is_list() const { return kind == Kind::kList; }
  bool is_map() const { return kind == Kind::kMap; }

  // Entry of a map; nullptr when absent or when this is no map.
  const Node* find(std::string_view key) const {
    for (const auto& [name, value] : entries) {
      if (name == key) return &value;
    }
    return nullptr;
  }

  static Node text(std::string s) {
    Node n;
    n.kind = Kind::kScalar;
    n.scalar = std::move(s);
    return n;
  }
  static Node map(std::vector<std::pair<std::string, Node>> e) {
    Node n;
    n.kind = Kind::kMap;
    n.entries = std::move(e);
    return n;
  }
  static Node list(std::vector<Node> i) {
    Node n;
    n.kind = Kind::kList;
    n.items = std::move(i);
    return n;
  }
};

inline Node::Node() = default;
inline Node::~Node() = default;
inline Node::Node(const Node&) = default;
inline Node::Node(Node&&) noexcept = default;
inline Node& Node::operator=(const Node&) = default;
inline Node& Node::operator=(Node&&) noexcept = default;

// One thing wrong in the configuration, with what to do about it.
struct ConfigError {
  int line = 0;
  int column = 0;
  std::string message;     // what is wrong
  std::string suggestion;  // what to do; may be empty
};

// Collects every error instead of stopping at the first.
class ErrorList {
 public:
  void add(const Node& at, std::string message, std::string suggestion = "") {
    for (const auto& [line, column] : unknown_) {
      if (line == at.line && column == at.column) return;
    }
    errors_.push_back({at.line, at.column, std::move(message), std::move(suggestion)});
  }
  // Why the text of a value is not known. Nothing else is said about it: whatever stands in its place is not what was meant.
  void add_unknown(const Node& at, std::string message, std::string suggestion = "") {
    errors_.push_back({at.line, at.column, std::move(message), std::move(suggestion)});
    unknown_.emplace_back(at.line, at.column);
  }
  // Whether something is said about a value or what is in it.
  bool about(const Node& value) const {
    for (const ConfigError& e : errors_) {
      if (e.line == value.line && e.column == value.column) return true;
    }
    for (const Node& item : value.items) {
      if (about(item)) return true;
    }
    for (const auto& [key, inner] : value.entries) {
      if (about(inner)) return true;
    }
    return false;
  }
  // What a unit's factory says of what has been read already: an error without a place stands at `otherwise`, and none is said
  // about a value, or a key that is missing there, of which something is said.
  void add_unsaid(const ErrorList& more, const Node& otherwise, const std::string& where) {
    const std::vector<ConfigError> before = errors_;
    for (ConfigError e : more.errors_) {
      if (e.line == 0) {
        e.line = otherwise.line;
        e.column = otherwise.column;
      }
      e.message = where + ": " + e.message;
      bool said = false;
      for (const ConfigError& b : before) said = said || (b.line == e.line && b.column == e.column);
      if (!said) errors_.push_back(std::move(e));
    }
  }
  bool empty() const { return errors_.empty(); }
  const std::vector<ConfigError>& errors() const { return errors_; }

 private:
  std::vector<ConfigError> errors_;
  std::vector<std::pair<int, int>> unknown_;  // lines and columns
};

}  // namespace driftd
