// How the content of a reference is stored and hashed; docs/FORMATS.md, "Reference".
#include <algorithm>
#include <cmath>

#include "core/hash.h"
#include "stats/reference.h"

namespace driftd::stats {
namespace {

constexpr std::uint32_t kMagic = 0x46655264;  // "dReF"
constexpr std::uint32_t kFormat = 1;
constexpr std::uint32_t kMaxFields = 4096;
// Of sources, segments, histories and points: what is left of the bytes bounds them too, and a store takes no content above 1 GB,
// which holds fewer than this of the smallest. So what a builder made and a store took is never refused.
constexpr std::uint32_t kMaxParts = 1U << 26;

void save_field(ByteWriter& out, const FieldProfile& f) {
  out.str(f.name);
  out.u8(static_cast<std::uint8_t>(f.kind));
  for (const std::uint64_t n : {f.valid, f.missing, f.null, f.wrong_type, f.not_finite}) out.u64(n);
  f.moments.save(out);
  f.bins.save(out);
  for (const double c : f.bin_counts) out.f64(c);
  out.boolean(!f.bin_sums.empty());
  for (const double s : f.bin_sums) out.f64(s);
}

bool finite(const Moments& m) {
  for (const double v : {m.mean, m.m2, m.min, m.max}) {
    if (!std::isfinite(v)) return false;
  }
  return m.min <= m.max && m.m2 >= 0;
}

// Bins of the field's own kind: counting relies on it.
bool fits(const Bins& bins, FieldKind kind) {
  if (kind == FieldKind::kText) return bins.size() == 1;
  return bins.numeric() == is_numeric(kind);
}

bool load_field(ByteReader& in, FieldProfile& f) {
  f.name = in.str(65536);
  const std::uint8_t kind = in.u8();
  if (kind > static_cast<std::uint8_t>(FieldKind::kText)) return false;
  f.kind = static_cast<FieldKind>(kind);
  for (std::uint64_t* n : {&f.valid, &f.missing, &f.null, &f.wrong_type, &f.not_finite}) *n = in.u64();
  f.moments.load(in);
  if (f.moments.n != 0 && (f.moments.n != f.valid || !finite(f.moments))) return false;
  if (!f.bins.load(in) || !fits(f.bins, f.kind)) return false;
  const std::uint32_t size = f.bins.size();
  if (in.left() < size * 8ULL) return false;
  double sum = 0;
  for (std::uint32_t b = 0; b < size; ++b) {
    f.bin_counts.push_back(in.f64());
    const double c = f.bin_counts.back();
    if (!(c >= 0) || c != std::floor(c)) return false;
    sum += c;
  }
  if (sum > static_cast<double>(f.valid)) return false;
  if (!in.boolean()) return !in.failed();
  if (in.left() < size * 8ULL) return false;
  for (std::uint32_t b = 0; b < size; ++b) {
    f.bin_sums.push_back(in.f64());
    if (!std::isfinite(f.bin_sums.back())) return false;
  }
  return !in.failed();
}

// All segments have the first one's fields, on the same bins.
bool same_fields(const SegmentProfile& s, const SegmentProfile& first) {
  return std::equal(s.fields.begin(), s.fields.end(), first.fields.begin(), first.fields.end(), [](const auto& a, const auto& b) {
    return a.name == b.name && a.kind == b.kind && a.bins.kind == b.bins.kind && a.bins.edges == b.bins.edges &&
           a.bins.categories == b.bins.categories;
  });
}

bool load_all(ByteReader& in, Reference& r) {
  if (in.u32() != kMagic || in.u32() != kFormat) return false;
  r.window = in.i64();
  for (std::uint32_t n = in.count(kMaxParts, 4); n > 0; --n) r.provenance.sources.push_back(in.str());
  for (std::uint32_t n = in.count(kMaxParts, 16); n > 0; --n) {
    SegmentProfile& s = r.segments.emplace_back();
    s.segment.by = in.str(65536);
    s.segment.value = in.str(65536);
    s.rows = in.u64();
    for (std::uint32_t m = in.count(kMaxFields, 64); m > 0; --m) {
      if (!load_field(in, s.fields.emplace_back())) return false;
    }
    if (!same_fields(s, r.segments.front())) return false;
  }
  for (std::uint32_t n = in.count(kMaxParts, 16); n > 0; --n) {
    History& h = r.history.emplace_back();
    h.segment.by = in.str(65536);
    h.segment.value = in.str(65536);
    h.field = in.str(65536);
    h.statistic = in.str(65536);
    for (std::uint32_t m = in.count(kMaxParts, 16); m > 0; --m) {
      h.starts.push_back(in.time());
      h.values.push_back(in.f64());
      if (!std::isfinite(h.values.back())) return false;
      if (h.starts.size() > 1 && h.starts.back() <= h.starts[h.starts.size() - 2]) return false;
    }
  }
  return !in.failed() && in.left() == 0 && !r.segments.empty();
}

}  // namespace

std::string Reference::content() const {
  ByteWriter out;
  out.u32(kMagic);
  out.u32(kFormat);
  out.i64(window);
  out.u32(static_cast<std::uint32_t>(provenance.sources.size()));
  for (const std::string& s : provenance.sources) out.str(s);
  out.u32(static_cast<std::uint32_t>(segments.size()));
  for (const SegmentProfile& s : segments) {
    out.str(s.segment.by);
    out.str(s.segment.value);
    out.u64(s.rows);
    out.u32(static_cast<std::uint32_t>(s.fields.size()));
    for (const FieldProfile& f : s.fields) save_field(out, f);
  }
  out.u32(static_cast<std::uint32_t>(history.size()));
  for (const History& h : history) {
    for (const std::string* text : {&h.segment.by, &h.segment.value, &h.field, &h.statistic}) out.str(*text);
    out.u32(static_cast<std::uint32_t>(h.values.size()));
    for (std::size_t i = 0; i < h.values.size(); ++i) {
      out.i64(h.starts[i]);
      out.f64(h.values[i]);
    }
  }
  return out.take();
}

Status Reference::load_content(std::string_view bytes) {
  Reference fresh;
  ByteReader in(bytes);
  if (!load_all(in, fresh)) return Error{ErrorCode::kCorrupt, "reference: damaged, or of another format"};
  window = fresh.window;
  provenance.sources = std::move(fresh.provenance.sources);
  segments = std::move(fresh.segments);
  history = std::move(fresh.history);
  hash = sha256_hex(bytes);
  return {};
}

}  // namespace driftd::stats
