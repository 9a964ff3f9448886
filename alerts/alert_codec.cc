#include "alerts/alert_codec.h"

namespace driftd::alerts {

void save(ByteWriter& out, const std::vector<std::string>& texts) {
  out.u32(static_cast<std::uint32_t>(texts.size()));
  for (const std::string& text : texts) out.str(text);
}

Status load(ByteReader& in, std::vector<std::string>& texts, std::uint32_t cap) {
  texts.resize(in.count(cap, sizeof(std::uint32_t)));
  for (std::string& text : texts) text = in.str(kMaxStoredText);
  if (in.failed()) return Error{ErrorCode::kCorrupt, "list of texts: damaged"};
  return {};
}

void save(ByteWriter& out, const Alert& a) {
  for (const std::string* text : {&a.fingerprint, &a.stream, &a.segment.by, &a.segment.value, &a.check, &a.field, &a.summary}) {
    out.str(*text);
  }
  out.u8(static_cast<std::uint8_t>(a.kind));
  out.u8(static_cast<std::uint8_t>(a.severity));
  out.u8(static_cast<std::uint8_t>(a.state));
  out.i64(a.starts_at);
  out.i64(a.ends_at);
  out.i64(a.last_seen);
  save(out, a.findings);
}

Status load(ByteReader& in, Alert& a) {
  for (std::string* text : {&a.fingerprint, &a.stream, &a.segment.by, &a.segment.value, &a.check, &a.field, &a.summary}) {
    *text = in.str(kMaxStoredText);
  }
  a.kind = load_enum(in, FindingKind::kPerformance);
  a.severity = load_enum(in, Severity::kCritical);
  a.state = load_enum(in, AlertState::kResolved);
  a.starts_at = in.time();
  a.ends_at = in.time();
  a.last_seen = in.time();
  const Status findings = load(in, a.findings, kMaxFindingIds);
  if (in.failed() || !findings) return Error{ErrorCode::kCorrupt, "alert: damaged"};
  return {};
}

}  // namespace driftd::alerts
