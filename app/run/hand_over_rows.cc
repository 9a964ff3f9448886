#include "app/run/hand_over_rows.h"

#include <algorithm>
#include <limits>

#include "core/bytes.h"
#include "core/hash.h"
#include "core/text.h"

namespace driftd::app {
namespace {

constexpr Duration kLongestUnread = 365 * kDay;

Error damaged(const std::string& table, const std::string& stream, const std::string& part, const std::string& what) {
  return {ErrorCode::kCorrupt,
          "what partition " + excerpt(part, 20) + " of stream " + stream + " handed over is damaged (" + table + ", " + what};
}

std::optional<std::int64_t> number(const std::optional<std::string>& column) {
  return column ? parse_integer(*column) : std::optional<std::int64_t>();
}

std::optional<std::uint32_t> partition_of(const std::optional<std::string>& column) {
  const auto part = number(column);
  if (!part || *part < 0 || *part > std::numeric_limits<std::uint32_t>::max()) return std::nullopt;
  return static_cast<std::uint32_t>(*part);
}

}  // namespace

std::uint32_t crc_of(const HandedOver& output) {
  ByteWriter head;
  head.str(output.stream);
  head.u32(output.partition);
  head.i64(output.end);
  head.str(output.config_hash);
  head.str(output.reference);
  return crc32c(output.output, crc32c(head.bytes()));
}

Result<Time> time_of(const std::optional<std::string>& column) {
  if (!column) return kNoTime;
  const auto t = number(column);
  if (t && (*t == kNoTime || (*t >= ByteReader::kOldestTime && *t <= ByteReader::kFarthestTime))) return *t;
  return Error{ErrorCode::kCorrupt, excerpt(*column, 20) + " is no time"};
}

Result<StoredOutput> output_of(const std::string& stream, const stats::MysqlSession::Row& row) {
  StoredOutput out;
  const auto part = partition_of(row[1]);
  const auto end = time_of(row[2]);
  const auto crc = number(row[5]);
  out.id = number(row[0]).value_or(0);
  out.what = {stream, part.value_or(0), end ? *end : kNoTime, row[3].value_or(""), row[4].value_or(""), row[6].value_or("")};
  if (part && end && *end != kNoTime && crc && *crc == crc_of(out.what)) return out;
  return damaged("driftd_output", stream, row[1].value_or("?"),
                 "id " + std::to_string(out.id) + "); without it the window cannot be judged: delete the row to judge it by half");
}

Result<StoredProgress> progress_of(const std::string& stream, const stats::MysqlSession::Row& row) {
  const auto part = partition_of(row[0]);
  const auto closed_until = time_of(row[2]), warm_from = time_of(row[3]);
  if (!part || !closed_until || !warm_from) {
    const std::string why = !part ? "its number" : !closed_until ? closed_until.error().message : warm_from.error().message;
    return damaged("driftd_unit", stream, row[0].value_or("?"),
                   why + "); windows wait until whoever reads the partition tells anew how far it is");
  }
  StoredProgress out;
  out.what = {stream, *part, row[1].value_or(""), *closed_until, *warm_from, number(row[4]).value_or(0) != 0};
  out.unread = std::clamp<std::int64_t>(number(row[5]).value_or(0), 0, kLongestUnread / kSecond) * kSecond;
  return out;
}

}  // namespace driftd::app
