#include "alerts/outbox_row.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "alerts/alert_book.h"
#include "alerts/alert_codec.h"
#include "core/text.h"

namespace driftd::alerts {
namespace {

constexpr std::array<const char*, 6> kStates = {"pending", "delivered", "rejected", "gone", "cooldown", "dropped"};
constexpr std::array<const char*, 4> kTypes = {"alert.firing", "alert.updated", "alert.resolved", "retrain.requested"};
constexpr std::uint32_t kMaxAlerts = 1024;  // of a stored message
constexpr std::uint32_t kMaxLines = 64;
constexpr std::size_t kMaxId = 64;
constexpr std::int64_t kMaxAttempts = 1000;  // a row is given up long before

// Receivers get it as it stands. The parser takes a zero byte for the end, whatever is behind it.
bool is_json_object(const std::string& line) {
  return line.starts_with('{') && line.find('\0') == std::string::npos && nlohmann::json::accept(line);
}

Status decode_body(std::string_view bytes, Message& m) {
  ByteReader in(bytes);
  m.alerts.resize(in.count(kMaxAlerts, 64));
  for (Alert& alert : m.alerts) {
    if (const Status s = load(in, alert); !s) return s;
    if (alert.fingerprint != fingerprint(alert)) return Error{ErrorCode::kCorrupt, "alert: its fingerprint is not that of its labels"};
  }
  if (const Status s = load(in, m.finding_lines, kMaxLines); !s) return s;
  for (const std::string& line : m.finding_lines) {
    if (!is_json_object(line)) return Error{ErrorCode::kCorrupt, "finding: not a JSON object"};
  }
  return in.done("message");
}

// It becomes an HTTP header, and a part of what is signed, between dots.
bool is_id(const std::string& id) {
  const auto fits = [](char c) { return c > ' ' && c < '\x7f' && c != '.'; };
  return !id.empty() && id.size() <= kMaxId && std::all_of(id.begin(), id.end(), fits);
}

}  // namespace

const char* to_string(RowState state) { return kStates[static_cast<std::size_t>(state)]; }

bool is_stored_wall_time(std::int64_t t) { return t >= 0 && t <= ByteReader::kFarthestTime; }

std::string encode_body(const Message& m) {
  ByteWriter out;
  out.u32(static_cast<std::uint32_t>(m.alerts.size()));
  for (const Alert& alert : m.alerts) save(out, alert);
  save(out, m.finding_lines);
  return out.take();
}

Result<OutboxRow> row_of(OutboxColumns columns) {
  const auto damaged = [&](const std::string& what) {
    return Error{ErrorCode::kCorrupt, "outbox: message " + excerpt(columns.id, kMaxId) + ": " + what};
  };
  if (!is_id(columns.id)) return damaged("not an id");
  const auto type = std::find(kTypes.begin(), kTypes.end(), columns.type);
  if (type == kTypes.end()) return damaged("unknown type");
  if (!is_stored_wall_time(columns.created_at) || !is_stored_wall_time(columns.next_attempt_at)) return damaged("a time that cannot be");
  if (columns.attempts < 0 || columns.attempts > kMaxAttempts) return damaged("a number of attempts that cannot be");
  if (columns.state < 0 || columns.state >= static_cast<std::int64_t>(kStates.size())) return damaged("unknown state");
  OutboxRow row;
  if (const Status body = decode_body(columns.body, row.message); !body) return damaged(body.error().message);
  row.message.id = std::move(columns.id);
  row.message.type = *type;
  row.message.group_key = std::move(columns.group_key);
  row.message.created_at = columns.created_at;
  row.message.attempt = static_cast<unsigned>(columns.attempts) + 1;
  row.receiver = std::move(columns.receiver);
  row.next_attempt_at = columns.next_attempt_at;
  row.state = static_cast<RowState>(columns.state);
  row.detail = std::move(columns.detail);
  return row;
}

}  // namespace driftd::alerts
