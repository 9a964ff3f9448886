#include "app/config/yaml.h"

#include <yaml-cpp/yaml.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>

#include "core/text.h"

namespace driftd::app {
namespace {

constexpr std::size_t kMaxValues = 100000;
constexpr int kMaxDepth = 64;

class Converter {
 public:
  explicit Converter(ErrorList& errors) : errors_(errors) {}

  bool stopped() const { return stopped_; }

  Node convert(const YAML::Node& from, int depth = 0) {
    Node to;
    to.line = from.Mark().line + 1;
    to.column = from.Mark().column + 1;
    if (++values_ > kMaxValues || depth > kMaxDepth) {
      if (!stopped_) errors_.add(to, "the document is too large: over 100000 values or 64 levels");
      stopped_ = true;
    }
    if (stopped_) return to;
    switch (from.Type()) {
      case YAML::NodeType::Scalar:
        to.kind = Node::Kind::kScalar;
        to.quoted = from.Tag() == "!";
        to.scalar = expand(from.Scalar(), to);
        // A null that is written out, as an empty value is one.
        if (!to.quoted && (to.scalar == "~" || to.scalar == "null")) to.kind = Node::Kind::kNull;
        break;
      case YAML::NodeType::Sequence:
        to.kind = Node::Kind::kList;
        for (const YAML::Node& item : from) to.items.push_back(convert(item, depth + 1));
        break;
      case YAML::NodeType::Map: {
        to.kind = Node::Kind::kMap;
        std::set<std::string> seen;
        for (const auto& entry : from) {
          const std::string key = entry.first.IsScalar() ? entry.first.Scalar() : "?";
          Node value = convert(entry.second, depth + 1);
          // An entry without a value stands where its key does.
          if (value.line == 0) {
            value.line = entry.first.Mark().line + 1;
            value.column = entry.first.Mark().column + 1;
          }
          if (!seen.insert(key).second) {
            Node at;
            at.line = entry.first.Mark().line + 1;
            at.column = entry.first.Mark().column + 1;
            errors_.add(at, "the key '" + excerpt(key, 60) + "' is here twice", "remove one of them");
          }
          to.entries.emplace_back(key, std::move(value));
        }
        break;
      }
      default:
        break;
    }
    return to;
  }

 private:
  // With a variable that is not set the text stays as it was written.
  std::string expand(const std::string& text, const Node& at) {
    std::string out;
    bool known = true;
    for (std::size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '$' || i + 1 >= text.size()) {
        out += text[i];
        continue;
      }
      if (text[i + 1] == '$') {
        out += '$';
        ++i;
        continue;
      }
      const std::size_t end = text[i + 1] == '{' ? text.find('}', i) : std::string::npos;
      if (end == std::string::npos) {
        out += text[i];
        continue;
      }
      const auto value = variable(text.substr(i + 2, end - i - 2), at);
      known = known && value;
      out += value.value_or("");
      i = end;
    }
    return known ? out : text;
  }

  std::optional<std::string> variable(const std::string& inside, const Node& at) {
    const std::size_t colon = inside.find(':');
    const std::string name = inside.substr(0, colon);
    const char* value = std::getenv(name.c_str());
    const std::string rest = colon == std::string::npos ? "" : inside.substr(colon + 1);
    if (value != nullptr && (*value != '\0' || rest.empty())) return value;
    if (rest.starts_with("-")) return rest.substr(1);
    const std::string why = rest.starts_with("?") && rest.size() > 1 ? ": " + rest.substr(1) : "";
    errors_.add_unknown(at, "the environment variable " + name + " is not set" + why, "set it, or write ${" + name + ":-default}");
    return std::nullopt;
  }

  ErrorList& errors_;
  std::size_t values_ = 0;
  bool stopped_ = false;
};

}  // namespace

Node parse_yaml(const std::string& text, ErrorList& errors) {
  try {
    Converter converter(errors);
    Node root = converter.convert(YAML::Load(text));
    if (converter.stopped()) return {};
    if (root.line == 0) root.line = root.column = 1;  // an empty document has no place
    return root;
  } catch (const YAML::Exception& e) {
    Node at;
    at.line = e.mark.line + 1;
    at.column = e.mark.column + 1;
    errors.add(at, "not valid YAML: " + e.msg);
  }
  return {};
}

Result<std::string> read_file(const std::string& path, std::size_t cap) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error{ErrorCode::kIo, path + ": cannot be read: " + std::strerror(errno)};
  std::string text;
  char buffer[65536];
  while (file.read(buffer, sizeof buffer) || file.gcount() > 0) {
    text.append(buffer, static_cast<std::size_t>(file.gcount()));
    if (text.size() > cap) return Error{ErrorCode::kExhausted, path + ": larger than " + std::to_string(cap) + " bytes"};
  }
  if (file.bad()) return Error{ErrorCode::kIo, path + ": cannot be read: " + std::strerror(errno)};
  return text;
}

}  // namespace driftd::app
