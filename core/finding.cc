#include "core/finding.h"

#include <array>
#include <cmath>
#include <tuple>

#include "core/hash.h"
#include "core/text.h"

namespace driftd {
namespace {

constexpr std::array<const char*, 4> kVerdicts = {"ok", "warn", "fail", "no_verdict"};
constexpr std::array<const char*, 5> kKinds = {"quality", "fault", "drift", "concept_drift", "performance"};
constexpr std::array<const char*, 3> kSeverities = {"info", "warning", "critical"};

template <class E, std::size_t N>
std::optional<E> find(const std::array<const char*, N>& names, std::string_view name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (name == names[i]) return static_cast<E>(i);
  }
  return std::nullopt;
}

// Writes `,"key":` (or `"key":` first) and then a value; skips values that do not apply.
class ObjectWriter {
 public:
  explicit ObjectWriter(std::string& out) : out_(out) { out_ += '{'; }
  void key(std::string_view name) {
    if (!first_) out_ += ',';
    first_ = false;
    append_json_string(out_, name);
    out_ += ':';
  }
  void text(std::string_view name, std::string_view value) {
    key(name);
    append_json_string(out_, value);
  }
  void text_if(std::string_view name, std::string_view value) {
    if (!value.empty()) text(name, value);
  }
  void time(std::string_view name, Time t) {
    key(name);
    out_ += '"';
    append_time(out_, t);
    out_ += '"';
  }
  void number(std::string_view name, std::optional<double> v) {
    if (!v || !std::isfinite(*v)) return;
    key(name);
    append_number(out_, *v);
  }
  void count(std::string_view name, std::optional<std::uint64_t> v) {
    if (!v) return;
    key(name);
    out_ += std::to_string(*v);
  }
  void close() { out_ += '}'; }

 private:
  std::string& out_;
  bool first_ = true;
};

}  // namespace

const char* to_string(Verdict v) { return kVerdicts[static_cast<std::size_t>(v)]; }
const char* to_string(FindingKind k) { return kKinds[static_cast<std::size_t>(k)]; }
const char* to_string(Severity s) { return kSeverities[static_cast<std::size_t>(s)]; }
std::optional<Severity> severity(std::string_view name) { return find<Severity>(kSeverities, name); }
std::optional<FindingKind> finding_kind(std::string_view name) { return find<FindingKind>(kKinds, name); }
std::optional<Verdict> verdict(std::string_view name) { return find<Verdict>(kVerdicts, name); }

std::string finding_id(const Finding& f, std::string_view config_hash) {
  std::string key;
  for (const std::string_view part :
       {std::string_view(f.stream), std::string_view(f.segment.by), std::string_view(f.segment.value), std::string_view(f.field),
        std::string_view(f.check), std::string_view(f.record_source), config_hash}) {
    key += part;
    key += '\0';
  }
  key += std::to_string(f.window_start) + "/" + std::to_string(f.window_end);
  if (f.reference) key += "/" + f.reference->hash;
  return hex64(hash64(key));
}

void append_json(std::string& out, const Finding& f) {
  ObjectWriter w(out);
  w.text("id", f.id);
  w.text("stream", f.stream);
  w.key("segment");
  ObjectWriter segment(out);
  segment.text("by", f.segment.by);
  segment.text_if("value", f.segment.value);
  segment.close();
  w.text_if("field", f.field);
  w.text("check", f.check);
  w.text("kind", to_string(f.kind));
  w.text("verdict", to_string(f.verdict));
  w.text_if("reason", f.reason);
  w.text("severity", to_string(f.severity));
  if (f.record_time) {
    w.key("record");
    ObjectWriter record(out);
    record.time("time", *f.record_time);
    record.text_if("source", f.record_source);
    record.close();
  } else {
    w.key("window");
    ObjectWriter window(out);
    window.time("start", f.window_start);
    window.time("end", f.window_end);
    window.close();
  }
  w.number("value", f.value);
  w.number("threshold", f.threshold);
  w.count("n", f.n);
  w.count("n_reference", f.n_reference);
  if (f.reference) {
    w.key("reference");
    ObjectWriter reference(out);
    reference.text("name", f.reference->name);
    reference.count("version", f.reference->version);
    reference.text("hash", f.reference->hash);
    reference.close();
  }
  w.number("effect", f.effect);
  w.number("log_evidence", f.log_evidence);
  w.number("log_threshold", f.log_threshold);
  if (f.change_time) w.time("change_time", *f.change_time);
  w.text_if("guarantee", f.guarantee);
  if (!f.detail.empty()) {
    w.key("detail");
    ObjectWriter detail(out);
    for (const Detail& d : f.detail) {
      if (d.number) {
        detail.number(d.key, d.number);
      } else {
        detail.text(d.key, d.text);
      }
    }
    detail.close();
  }
  w.close();
}

bool before(const Finding& a, const Finding& b) {
  const auto key = [](const Finding& f) {
    return std::tie(f.window_end, f.stream, f.segment, f.field, f.check, f.window_start, f.record_time, f.record_source, f.id);
  };
  return key(a) < key(b);
}

}  // namespace driftd
