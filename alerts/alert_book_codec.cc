// How the alert book is stored in a checkpoint; docs/FORMATS.md.
#include "alerts/alert_book.h"
#include "alerts/alert_codec.h"

namespace driftd::alerts {
namespace {

constexpr std::uint8_t kVersion = 2;
// Far above any configured bound: a lowered max_alerts must not make a checkpoint unreadable.
constexpr std::uint32_t kMostStreams = 1U << 16;
constexpr std::uint32_t kMostEntries = 1U << 20;
constexpr std::uint32_t kMostListed = 64;
constexpr std::uint8_t kAllSeverities = 0b111;

Error unknown_format() { return {ErrorCode::kCorrupt, "alerts: unknown format"}; }
Error truncated() { return {ErrorCode::kCorrupt, "alerts: truncated or out of bounds"}; }

void save_checks(ByteWriter& out, const std::vector<CheckName>& checks) {
  out.u32(static_cast<std::uint32_t>(checks.size()));
  for (const CheckName& c : checks) {
    out.str(c.check);
    out.str(c.field);
  }
}

void load_checks(ByteReader& in, std::vector<CheckName>& checks) {
  checks.resize(in.count(kMostListed, 8));
  for (CheckName& c : checks) {
    c.check = in.str(kMaxStoredText);
    c.field = in.str(kMaxStoredText);
  }
}

}  // namespace

void AlertBook::save_entry(ByteWriter& out, const Entry& e) {
  alerts::save(out, e.alert);
  out.u32(e.bad);
  out.u32(e.good);
  out.boolean(e.of_records);
  out.i64(e.heard);
  save_checks(out, e.checks);
  out.u32(e.told_checks);
  out.u8(e.told_severities);
  const OpenWindow& w = e.window;
  out.boolean(w.bad);
  out.boolean(w.at_once);
  out.boolean(w.unjudged);
  out.i64(w.start);
  out.u8(static_cast<std::uint8_t>(w.severity));
  alerts::save(out, w.ids);
  alerts::save(out, w.lines);
  save_checks(out, w.checks);
  out.str(w.lead);
}

Status AlertBook::load_entry(ByteReader& in, const std::string& stream, Entry& e) {
  const Error damaged{ErrorCode::kCorrupt, "alert of stream " + stream + ": damaged"};
  if (const Status s = alerts::load(in, e.alert); !s) return s;
  e.bad = in.u32();
  e.good = in.u32();
  e.of_records = in.boolean();
  e.heard = in.time();
  load_checks(in, e.checks);
  e.told_checks = in.u32();
  e.told_severities = in.u8();
  OpenWindow& w = e.window;
  w.bad = in.boolean();
  w.at_once = in.boolean();
  w.unjudged = in.boolean();
  w.start = in.time();
  w.severity = load_enum(in, Severity::kCritical);
  if (!alerts::load(in, w.ids, kMaxFindingIds) || !alerts::load(in, w.lines, kMostListed)) {
    return damaged;
  }
  load_checks(in, w.checks);
  w.lead = in.str(kMaxStoredText);
  const bool sound = e.alert.stream == stream && e.alert.fingerprint == fingerprint(e.alert) && e.alert.state != AlertState::kResolved &&
                     e.told_checks <= e.checks.size() && e.told_severities <= kAllSeverities && w.bad == !w.checks.empty() &&
                     (e.bad > 0 || w.bad) && (e.bad > 0 || e.alert.state == AlertState::kPending);
  if (in.failed() || !sound) return damaged;
  return {};
}

void AlertBook::save(ByteWriter& out) const {
  out.u8(kVersion);
  out.u32(static_cast<std::uint32_t>(streams_.size()));
  for (const auto& [name, stream] : streams_) {
    out.str(name);
    save_alerts(out, stream);
  }
}

void AlertBook::save_alerts(ByteWriter& out, const StreamAlerts& stream) {
  out.i64(stream.closed);
  out.u32(static_cast<std::uint32_t>(stream.entries.size()));
  for (const auto& [key, entry] : stream.entries) save_entry(out, entry);
}

Status AlertBook::load_alerts(ByteReader& in, const std::string& name, StreamAlerts& stream) {
  stream.closed = in.time();
  const std::uint32_t entries = in.count(kMostEntries, 64);
  for (std::uint32_t j = 0; j < entries; ++j) {
    Entry e;
    if (const Status s = load_entry(in, name, e); !s) return s;
    Key key{e.alert.segment, e.alert.kind, e.alert.check, e.alert.field};
    if (!stream.entries.emplace(std::move(key), std::move(e)).second) {
      return Error{ErrorCode::kCorrupt, "alert of stream " + name + ": stored twice"};
    }
  }
  return in.failed() ? truncated() : Status();
}

void AlertBook::save_stream(const std::string& name, ByteWriter& out) const {
  const auto it = streams_.find(name);
  out.u8(kVersion);
  save_alerts(out, it == streams_.end() ? StreamAlerts() : it->second);
}

Status AlertBook::load_stream(const std::string& name, ByteReader& in) {
  StreamAlerts& stream = streams_[name];
  stream.closed = kNoTime;
  stream.entries.clear();
  Status status = in.u8() == kVersion ? load_alerts(in, name, stream) : unknown_format();
  if (!status) stream.entries.clear();
  return status;
}

void AlertBook::drop(const std::string& name) { streams_.erase(name); }

Status AlertBook::load(ByteReader& in) {
  streams_.clear();
  Status status = load_streams(in);
  if (!status) streams_.clear();
  return status;
}

Status AlertBook::load_streams(ByteReader& in) {
  if (in.u8() != kVersion) return unknown_format();
  const std::uint32_t streams = in.count(kMostStreams, 16);
  for (std::uint32_t i = 0; i < streams && !in.failed(); ++i) {
    const std::string name = in.str(kMaxStoredText);
    StreamAlerts stream;
    if (const Status s = load_alerts(in, name, stream); !s) return s;
    if (!streams_.emplace(name, std::move(stream)).second) {
      return Error{ErrorCode::kCorrupt, "alerts of stream " + name + ": stored twice"};
    }
  }
  return in.failed() ? truncated() : Status();
}

}  // namespace driftd::alerts
