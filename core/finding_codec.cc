// How findings are stored in a checkpoint; docs/FORMATS.md.
#include "core/finding.h"

namespace driftd {
namespace {

void put(ByteWriter& out, const std::optional<double>& v) {
  out.boolean(v.has_value());
  out.f64(v.value_or(0));
}
void put(ByteWriter& out, const std::optional<std::uint64_t>& v) {
  out.boolean(v.has_value());
  out.u64(v.value_or(0));
}
void put(ByteWriter& out, const std::optional<Time>& v) {
  out.boolean(v.has_value());
  out.i64(v.value_or(0));
}

void get(ByteReader& in, std::optional<double>& v) {
  const bool there = in.boolean();
  const double x = in.f64();
  if (there) v = x;
}
void get(ByteReader& in, std::optional<std::uint64_t>& v) {
  const bool there = in.boolean();
  const std::uint64_t x = in.u64();
  if (there) v = x;
}
void get(ByteReader& in, std::optional<Time>& v) {
  const bool there = in.boolean();
  const Time x = in.time();
  if (there) v = x;
}

template <class E>
void get_enum(ByteReader& in, E& v, E last) {
  const std::uint8_t x = in.u8();
  if (x > static_cast<std::uint8_t>(last)) return in.fail();
  v = static_cast<E>(x);
}

}  // namespace

void save(ByteWriter& out, const Finding& f) {
  for (const std::string* text :
       {&f.id, &f.stream, &f.segment.by, &f.segment.value, &f.field, &f.check, &f.reason, &f.record_source, &f.guarantee}) {
    out.str(*text);
  }
  out.u8(static_cast<std::uint8_t>(f.kind));
  out.u8(static_cast<std::uint8_t>(f.verdict));
  out.u8(static_cast<std::uint8_t>(f.severity));
  out.i64(f.window_start);
  out.i64(f.window_end);
  put(out, f.record_time);
  for (const auto* v : {&f.value, &f.threshold, &f.effect, &f.log_evidence, &f.log_threshold}) put(out, *v);
  put(out, f.n);
  put(out, f.n_reference);
  put(out, f.change_time);
  out.boolean(f.reference.has_value());
  if (f.reference) {
    out.str(f.reference->name);
    out.u32(f.reference->version);
    out.str(f.reference->hash);
  }
  out.u32(static_cast<std::uint32_t>(f.detail.size()));
  for (const Detail& d : f.detail) {
    out.str(d.key);
    out.str(d.text);
    put(out, d.number);
  }
}

Status load(ByteReader& in, Finding& f) {
  for (std::string* text :
       {&f.id, &f.stream, &f.segment.by, &f.segment.value, &f.field, &f.check, &f.reason, &f.record_source, &f.guarantee}) {
    *text = in.str(65536);
  }
  get_enum(in, f.kind, FindingKind::kPerformance);
  get_enum(in, f.verdict, Verdict::kNoVerdict);
  get_enum(in, f.severity, Severity::kCritical);
  f.window_start = in.time();
  f.window_end = in.time();
  get(in, f.record_time);
  for (auto* v : {&f.value, &f.threshold, &f.effect, &f.log_evidence, &f.log_threshold}) get(in, *v);
  get(in, f.n);
  get(in, f.n_reference);
  get(in, f.change_time);
  if (in.boolean()) {
    ReferenceId id;
    id.name = in.str(65536);
    id.version = in.u32();
    id.hash = in.str(256);
    f.reference = std::move(id);
  }
  f.detail.resize(in.count(256, 10));
  for (Detail& d : f.detail) {
    d.key = in.str(65536);
    d.text = in.str(65536);
    get(in, d.number);
  }
  if (in.failed()) return Error{ErrorCode::kCorrupt, "finding: damaged"};
  return {};
}

}  // namespace driftd
