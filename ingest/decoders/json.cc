// JSON: one record is one JSON object (RFC 8259), read by simdjson's on-demand parser in one pass.
//
// Values that the stream reads are checked in full; of values nobody reads, only the structure
// (UTF-8, strings, brackets, depth) is. Each record is copied behind 64 known bytes, because the
// parser looks beyond the end: what stands behind a record in the source must not change a verdict.
// Cost: about twice the bare parser's time; memory: a few times the longest record seen.
#include <algorithm>
#include <bit>
#include <limits>

#include <simdjson.h>

#include "core/text.h"
#include "ingest/decoder.h"
#include "ingest/json_path.h"
#include "ingest/json_token.h"
#include "ingest/row_identity.h"
#include "ingest/topic_levels.h"

namespace driftd::ingest {
namespace {

namespace od = simdjson::ondemand;

// Targets of the path tree: fields by number, and these.
constexpr std::uint32_t kSensorTarget = 0xfffffffd;
constexpr std::uint32_t kTimeTarget = 0xfffffffe;
static_assert(kTimeTarget < kNoTarget);
constexpr std::size_t kLeastCapacity = 4096;

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(const DecodeOptions& options, PathTree tree, TopicFields topic_fields)
      : options_(options),
        tree_(std::move(tree)),
        topic_fields_(std::move(topic_fields)),
        identity_(options),
        parser_(options.max_record) {}

  void save(ByteWriter& out) const override { identity_.save(out); }
  Status load(ByteReader& in) override { return identity_.load(in); }

  void decode(const RawBatch& raw, BatchBuilder& out, RejectSink& rejects) override {
    out_ = &out;
    rejects_ = &rejects;
    for (const RawRecord& record : raw.records) {
      out.begin_row();
      if (row(record)) {
        out.commit_row(found_.sensor, found_.time, found_.arrival, record.position);
      } else {
        out.abandon_row();
        rejects.reject(record, reason_, detail_);
      }
    }
  }

 private:
  // Always false, so that a step can end with it; every step says whether to go on.
  bool refuse(RejectReason reason, std::string_view detail = {}) {
    reason_ = reason;
    detail_ = detail;
    return false;
  }
  bool undecodable(std::string_view detail) { return refuse(RejectReason::kUndecodable, detail); }
  bool undecodable(simdjson::error_code error) { return undecodable(simdjson::error_message(error)); }

  bool row(const RawRecord& record) {
    if (record.payload.empty()) return refuse(RejectReason::kEmptyPayload);
    if (record.payload.size() > options_.max_record) return refuse(RejectReason::kTooLarge);
    if (!pad(record.payload)) return false;
    identity_.begin(record);
    od::document document;
    const auto size = record.payload.size();
    if (const auto e = parser_.iterate(padded_.data(), size, padded_.size()).get(document)) return undecodable(e);
    od::json_type type;
    if (const auto e = document.type().get(type)) return undecodable(e);
    if (type != od::json_type::object) return refuse(RejectReason::kNotAnObject);
    od::object object;
    if (const auto e = document.get_object().get(object)) return undecodable(e);
    if (!members(object, tree_.root(), 1)) return false;
    if (document.current_location().error() != simdjson::OUT_OF_BOUNDS) {
      return undecodable("bytes follow the object");
    }
    found_ = identity_.finish(out_->dictionaries().sensors);
    if (found_.rejected) return refuse(*found_.rejected, found_.detail);
    topic_fields_.fill(record, *out_);
    return true;
  }

  // Grows by powers of two: the parser's own buffers are several times its capacity, so it must not
  // start at max_record, and one growth a record would be slow.
  bool pad(std::string_view payload) {
    if (payload.size() > parser_.capacity()) {
      const std::size_t want = std::max(kLeastCapacity, std::bit_ceil(payload.size()));
      if (const auto e = parser_.allocate(std::min(want, options_.max_record))) return undecodable(e);
      padded_.resize(parser_.capacity() + simdjson::SIMDJSON_PADDING);
    }
    std::memcpy(padded_.data(), payload.data(), payload.size());
    std::memset(padded_.data() + payload.size(), ' ', simdjson::SIMDJSON_PADDING);
    end_ = padded_.data() + payload.size();
    has_escapes_ = payload.find('\\') != std::string_view::npos;
    return true;
  }

  // `depth` is the object's own, from 1. Recursion follows the configured paths, never the data.
  bool members(od::object& object, PathNode& node, std::size_t depth) {
    std::uint32_t last = 0;
    for (auto member : object) {
      if (const auto e = member.error()) return undecodable(e);
      od::field&& field = std::move(member).value_unsafe();  // in place: a copy stalls on its stores
      const char* key = field.key().raw();
      PathNode* child = find_child(node, key, end_, last);
      if (child == nullptr) child = unusual_key(node, key);
      const bool good = child != nullptr ? value(field.value(), *child, depth) : skip(field.value(), depth);
      if (!good) return false;
    }
    return true;
  }

  // A key that no path has, or one that is written with escapes.
  PathNode* unusual_key(PathNode& node, const char* raw) {
    const std::string_view name = string_body(raw, end_);
    std::string_view text = name;
    if (name.find('\\') != std::string_view::npos) {
      if (!unescape(name, scratch_)) return nullptr;
      text = scratch_;
      for (PathNode& child : node.children) {
        if (child.key == text) return &child;
      }
    }
    if (&node == &tree_.root()) rejects_->extra_field(text);
    return nullptr;
  }

  bool elements(od::array& array, PathNode& node, std::size_t depth) {
    std::int64_t index = 0;
    for (auto element : array) {
      od::value v;
      // NOLINTNEXTLINE(performance-move-const-arg): get() takes an rvalue only
      if (const auto e = std::move(element).get(v)) return undecodable(e);
      PathNode* child = nullptr;
      for (PathNode& c : node.children) {
        if (c.index == index) child = &c;
      }
      if (!(child != nullptr ? value(v, *child, depth) : skip(v, depth))) return false;
      ++index;
    }
    return true;
  }

  // Steps over a value that nobody reads, but never into more depth than allowed.
  bool skip(od::value& v, std::size_t depth) {
    const char first = v.raw_json_token().front();
    if (first != '{' && first != '[') return true;
    std::string_view raw;
    const auto e = first == '{' ? raw_object(v, raw) : raw_array(v, raw);
    if (e) return undecodable(e);
    if (depth + nesting(raw) > options_.max_depth) return refuse(RejectReason::kTooDeep);
    return true;
  }
  simdjson::error_code raw_object(od::value& v, std::string_view& raw) {
    od::object object;
    if (const auto e = v.get_object().get(object)) return e;
    return object.raw_json().get(raw);
  }
  simdjson::error_code raw_array(od::value& v, std::string_view& raw) {
    od::array array;
    if (const auto e = v.get_array().get(array)) return e;
    return array.raw_json().get(raw);
  }

  bool value(od::value& v, PathNode& node, std::size_t depth) {
    const std::string_view token = trimmed(v.raw_json_token());
    if (token.empty()) return undecodable("a value is missing");
    if (node.is_container()) {
      // A second object under the same key replaces the first.
      each_target_below(node, [&](std::uint32_t t) { forget(t); });
    }
    switch (token.front()) {
      case '{':
      case '[':
        return container(v, node, depth, token.front());
      case '"':
        return string(token, node);
      case 't':
      case 'f':
        if (token != "true" && token != "false") break;
        node.each_target([&](std::uint32_t t) { flag(t, token.front() == 't'); });
        return true;
      case 'n':
        if (token != "null") break;
        node.each_target([&](std::uint32_t t) { null(t); });
        return true;
      default:
        return number(v, token, node);
    }
    return undecodable("a literal that is not JSON");
  }

  bool container(od::value& v, PathNode& node, std::size_t depth, char open) {
    node.each_target([&](std::uint32_t t) { wrong_type(t); });
    if (!node.is_container()) return skip(v, depth);
    if (depth + 1 > options_.max_depth) return refuse(RejectReason::kTooDeep);
    if (open == '{') {
      od::object object;
      if (const auto e = v.get_object().get(object)) return undecodable(e);
      return members(object, node, depth + 1);
    }
    od::array array;
    if (const auto e = v.get_array().get(array)) return undecodable(e);
    return elements(array, node, depth + 1);
  }

  bool string(std::string_view token, PathNode& node) {
    if (token.size() < 2 || token.back() != '"') return undecodable("a damaged string");
    const std::string_view body = token.substr(1, token.size() - 2);
    if (!has_escapes_ || body.find('\\') == std::string_view::npos) {
      node.each_target([&](std::uint32_t t) { text(t, body); });
      return true;
    }
    bool good = true;
    node.each_target([&](std::uint32_t t) {
      // Sensor and time are read after the pass, so each has a buffer of its own.
      std::string& buffer = t == kSensorTarget ? sensor_text_ : t == kTimeTarget ? time_text_ : scratch_;
      good = good && unescape(body, buffer);
      if (good) text(t, buffer);
    });
    return good || undecodable("a damaged escape in a string");
  }
  void text(std::uint32_t target, std::string_view v) {
    if (target == kSensorTarget) {
      identity_.set_sensor(v);
    } else if (target != kTimeTarget) {
      out_->set_text(target, v);
    } else if (identity_.time_unit() == TimeUnit::kRfc3339) {
      identity_.set_time(v);
    } else {
      identity_.set_time_wrong();
    }
  }

  bool number(od::value& v, std::string_view token, PathNode& node) {
    double parsed = 0;
    const bool only_identity = node.target >= kSensorTarget && node.more_targets.empty();
    if (only_identity || v.get_double().get(parsed)) {
      if (!is_json_number(token)) return undecodable("a value that is not JSON");
      parsed = std::numeric_limits<double>::infinity();  // the parser refuses 1e400
    }
    node.each_target([&](std::uint32_t t) {
      if (t == kSensorTarget) {
        identity_.set_sensor(is_json_integer(token) ? token : std::string_view());
      } else if (t != kTimeTarget) {
        out_->set_number(t, parsed);
      } else if (identity_.time_unit() == TimeUnit::kRfc3339) {
        identity_.set_time_wrong();
      } else {
        identity_.set_time(token);
      }
    });
    return true;
  }

  void flag(std::uint32_t target, bool v) {
    if (target >= kSensorTarget) return wrong_type(target);
    out_->set_flag(target, v);
  }
  void null(std::uint32_t target) {
    if (target >= kSensorTarget) return forget(target);
    out_->set_cell(target, Cell::kNull);
  }
  void wrong_type(std::uint32_t target) {
    if (target == kSensorTarget) {
      identity_.set_sensor({});
    } else if (target == kTimeTarget) {
      identity_.set_time_wrong();
    } else {
      out_->set_cell(target, Cell::kWrongType);
    }
  }
  void forget(std::uint32_t target) {
    if (target == kSensorTarget) {
      identity_.set_sensor({});
    } else if (target == kTimeTarget) {
      identity_.set_time({});
    } else {
      out_->set_cell(target, Cell::kMissing);
    }
  }

  DecodeOptions options_;
  PathTree tree_;
  TopicFields topic_fields_;
  RowIdentity identity_;
  RowIdentity::Outcome found_;
  RejectReason reason_ = RejectReason::kUndecodable;  // why the running row was refused
  std::string_view detail_;
  od::parser parser_;
  std::string padded_;
  const char* end_ = nullptr;  // of the record in padded_
  bool has_escapes_ = false;   // the record has a backslash somewhere
  std::string scratch_, sensor_text_, time_text_;
  BatchBuilder* out_ = nullptr;  // of the running decode()
  RejectSink* rejects_ = nullptr;
};

Result<std::unique_ptr<Decoder>> make(const Params&, const DecodeOptions& options, const Schema& schema) {
  PathTree tree;
  const RowIdentity identity(options);
  Status status;
  const auto add = [&](const std::string& path, std::uint32_t target) {
    if (status.ok()) status = tree.add(path, target);
  };
  if (!identity.sensor_path().empty()) add(identity.sensor_path(), kSensorTarget);
  if (!identity.time_path().empty()) add(identity.time_path(), kTimeTarget);
  auto topic_fields = TopicFields::make(schema);
  if (!topic_fields) return topic_fields.error().at("decode: json");
  for (std::uint32_t i = 0; i < schema.fields.size(); ++i) {
    const Field& field = schema.fields[i];
    if (!topic_fields->has(i)) add(field.path.empty() ? field.name : field.path, i);
  }
  if (!status.ok()) return status.error().at("decode: json");
  return std::unique_ptr<Decoder>(std::make_unique<JsonDecoder>(options, std::move(tree), *std::move(topic_fields)));
}

}  // namespace

void register_json(DecoderRegistry& registry) {
  Descriptor d;
  d.name = "json";
  d.summary = "Reads records that are one JSON object each.";
  d.applies_to = "stream";
  d.source = "RFC 8259 (JSON), RFC 6901 (JSON pointers)";
  d.example =
      "decode: {format: json, sensor: /meta/id, time: {field: ts, unit: ms}}\n"
      "fields:\n"
      "  temperature: {type: number, path: /readings/0/value}\n";
  d.notes =
      "Paths are top-level names, JSON pointers, or @topic/2 for the second level of an MQTT topic. Of keys given twice the last one "
      "counts. null "
      "is a "
      "null; a number too large for a double (1e400) is not_finite; NaN and Infinity are not JSON "
      "and "
      "make the record undecodable. Numbers in strings count only with numbers_in_text. Of values "
      "that "
      "no path names only the structure is checked. About half the speed of the bare parser.";
  registry.add(std::move(d), make);
}

}  // namespace driftd::ingest
