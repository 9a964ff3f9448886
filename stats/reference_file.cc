// References as files, and their differences.
#include <cmath>

#include "core/hash.h"
#include "core/text.h"
#include "stats/distance.h"
#include "stats/provenance_codec.h"
#include "stats/reference_store.h"

namespace driftd::stats {
namespace {

constexpr std::uint32_t kFileMagic = 0x31666572;  // "ref1"

std::string share(double v) { return format_number(std::round(v * 1e6) / 1e6); }

void compare_fields(const FieldProfile& a, const FieldProfile& b, std::vector<std::string>& out) {
  const auto nulls = [](const FieldProfile& f) {
    const double rows = static_cast<double>(f.valid + f.missing + f.null + f.wrong_type + f.not_finite);
    return rows == 0 ? 0 : static_cast<double>(f.missing + f.null) / rows;
  };
  const std::string name = a.name + ": ";
  if (a.kind != b.kind) out.push_back(name + to_string(a.kind) + " -> " + to_string(b.kind));
  if (nulls(a) != nulls(b)) out.push_back(name + "null share " + share(nulls(a)) + " -> " + share(nulls(b)));
  if (is_numeric(a.kind) && a.moments.n != 0 && b.moments.n != 0) {
    const double sd = a.moments.stddev();
    const double shift = sd > 0 ? (b.moments.mean - a.moments.mean) / sd : 0;
    if (a.moments.mean != b.moments.mean) {
      out.push_back(name + "mean " + format_number(a.moments.mean) + " -> " + format_number(b.moments.mean) +
                    (sd > 0 ? " (" + share(shift) + " sd)" : ""));
    }
    if (sd != b.moments.stddev()) out.push_back(name + "stddev " + format_number(sd) + " -> " + format_number(b.moments.stddev()));
    if (a.moments.min != b.moments.min || a.moments.max != b.moments.max) {
      out.push_back(name + "range [" + format_number(a.moments.min) + ", " + format_number(a.moments.max) + "] -> [" +
                    format_number(b.moments.min) + ", " + format_number(b.moments.max) + "]");
    }
  }
  for (const std::string& category : b.bins.categories) {
    if (a.kind == FieldKind::kCategory && a.bins.bin_of(std::string_view(category)) + 1 == a.bins.size())
      out.push_back(name + "new category '" + excerpt(category, 60) + "'");
  }
}

}  // namespace

void save(ByteWriter& out, const Provenance& p) {
  out.i64(p.created_at);
  out.str(p.created_by);
  out.str(p.driftd_version);
  out.u64(p.rows);
  out.u64(p.rejected);
  out.i64(p.first);
  out.i64(p.last);
  out.u32(static_cast<std::uint32_t>(p.notes.size()));
  for (const auto& [key, value] : p.notes) {
    out.str(key);
    out.str(value);
  }
}

Status load(ByteReader& in, Provenance& p) {
  p.created_at = in.time();
  p.created_by = in.str(65536);
  p.driftd_version = in.str(65536);
  p.rows = in.u64();
  p.rejected = in.u64();
  p.first = in.time();
  p.last = in.time();
  for (std::uint32_t n = in.count(4096, 8); n > 0; --n) {
    std::string key = in.str(65536);
    p.notes[std::move(key)] = in.str(65536);
  }
  return in.done("provenance");
}

std::string export_bytes(const Reference& reference) {
  ByteWriter body;
  body.str(reference.name);
  body.u32(static_cast<std::uint32_t>(reference.tags.size()));
  for (const std::string& tag : reference.tags) body.str(tag);
  ByteWriter provenance;
  save(provenance, reference.provenance);
  body.str(provenance.bytes());
  body.str(reference.hash);
  body.str(reference.content());
  ByteWriter out;
  out.u32(kFileMagic);
  out.u32(crc32c(body.bytes()));
  out.raw(body.bytes().data(), body.size());
  return out.take();
}

Result<Reference> import_bytes(std::string_view bytes) {
  ByteReader head(bytes);
  const bool magic = head.u32() == kFileMagic;
  const std::uint32_t crc = head.u32();
  if (!magic || head.failed()) return Error{ErrorCode::kCorrupt, "this is no exported reference"};
  const std::string_view rest = bytes.substr(8);
  if (crc32c(rest) != crc) return Error{ErrorCode::kCorrupt, "the exported reference is damaged: its checksum does not match"};
  ByteReader in(rest);
  Reference r;
  r.name = in.str(65536);
  for (std::uint32_t n = in.count(4096, 4); n > 0; --n) r.tags.push_back(in.str(65536));
  const std::string_view provenance = in.view(1U << 30);  // it names every file that was read
  const std::string hash = in.str(256);
  const std::string_view content = in.view(1U << 30);
  if (const Status s = in.done("exported reference"); !s) return s.error();
  ByteReader p(provenance);
  if (const Status s = load(p, r.provenance); !s) return s.error();
  if (const Status s = r.load_content(content); !s) return s.error();
  if (r.hash != hash) return Error{ErrorCode::kCorrupt, "the exported reference's content does not have its hash"};
  return r;
}

std::vector<std::string> differences(const Reference& a, const Reference& b) {
  std::vector<std::string> out;
  if (a.hash == b.hash) return out;
  const SegmentProfile* before = a.profile({});
  const SegmentProfile* after = b.profile({});
  if (before == nullptr || after == nullptr) return {"one of them is empty"};
  if (before->rows != after->rows) out.push_back("rows " + std::to_string(before->rows) + " -> " + std::to_string(after->rows));
  for (const FieldProfile& f : before->fields) {
    const FieldProfile* other = b.field({}, f.name);
    if (other == nullptr) {
      out.push_back(f.name + ": only in the first");
    } else {
      compare_fields(f, *other, out);
    }
  }
  for (const FieldProfile& f : after->fields) {
    if (a.field({}, f.name) == nullptr) out.push_back(f.name + ": only in the second");
  }
  if (out.empty()) out.push_back("only bins or histories differ");
  return out;
}

}  // namespace driftd::stats
