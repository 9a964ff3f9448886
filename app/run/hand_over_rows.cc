#include "app/run/hand_over_rows.h"

#include <algorithm>
#include <limits>

#include "core/bytes.h"
#include "core/hash.h"
#include "core/text.h"

namespace driftd::app {
namespace {

constexpr Duration kLongestUnread = 365 * kDay;

std::string is_damaged(const std::string& stream, const std::string& part) {
  return "what partition " + excerpt(part, 20) + " of stream " + stream + " handed over is damaged: ";
}

Error damaged(const std::string& stream, const std::string& part, const std::string& id, const std::string& how) {
  return {ErrorCode::kCorrupt, is_damaged(stream, part) + how + " (driftd_output, id " + excerpt(id, 20) +
                                   "); without it the window cannot be judged: delete the row, and those of "
                                   "driftd_output_chunk with that id, to judge it by half"};
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

Error damaged(const StoredOutput& output, const std::string& how) {
  return damaged(output.what.stream, std::to_string(output.what.partition), std::to_string(output.id), how);
}

Result<StoredOutput> output_of(const std::string& stream, const stats::MysqlSession::Row& row) {
  const auto id = number(row[0]), crc = number(row[5]), size = number(row[6]);
  const auto part = partition_of(row[1]);
  const auto end = time_of(row[2]);
  const bool is_crc = crc && *crc >= 0 && *crc <= std::numeric_limits<std::uint32_t>::max();
  if (!id || !part || !end || *end == kNoTime || !row[3] || !row[4] || !is_crc || !size || *size < 0) {
    return damaged(stream, row[1].value_or("?"), row[0].value_or("?"), "a column of it holds what cannot be there");
  }
  return StoredOutput{*id, {stream, *part, *end, *row[3], *row[4], ""}, static_cast<std::uint32_t>(*crc), static_cast<std::size_t>(*size)};
}

Status intact(const StoredOutput& output) {
  if (output.what.output.size() != output.size) {
    return damaged(output, "its chunks have " + std::to_string(output.what.output.size()) + " bytes, not " + std::to_string(output.size));
  }
  if (crc_of(output.what) != output.crc) return damaged(output, "its checksum does not match");
  return {};
}

Result<StoredProgress> progress_of(const std::string& stream, const stats::MysqlSession::Row& row) {
  const auto part = partition_of(row[0]);
  const auto closed_until = time_of(row[2]), warm_from = time_of(row[3]);
  if (!part || !closed_until || !warm_from) {
    const std::string why = !part ? "its number" : !closed_until ? closed_until.error().message : warm_from.error().message;
    return Error{ErrorCode::kCorrupt, is_damaged(stream, row[0].value_or("?")) + why +
                                          " (driftd_unit); windows wait until whoever reads the partition tells anew how far it is"};
  }
  StoredProgress out;
  out.what = {stream, *part, row[1].value_or(""), *closed_until, *warm_from, number(row[4]).value_or(0) != 0};
  out.unread = std::clamp<std::int64_t>(number(row[5]).value_or(0), 0, kLongestUnread / kSecond) * kSecond;
  return out;
}

}  // namespace driftd::app
