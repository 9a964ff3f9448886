// What the rows say in which partitions of a shared stream hand over what they have to the driftd that judges its windows
// (tables driftd_output, driftd_output_chunk and driftd_unit, docs/FORMATS.md), if it can be believed. No state, no database: of a row that
// is damaged each function says so (kCorrupt), and what to do.
#pragma once

#include "app/run/checkpoint_store.h"
#include "stats/mysql_session.h"

namespace driftd::app {

// CRC-32C of all of it; docs/FORMATS.md.
std::uint32_t crc_of(const HandedOver& output);

// A point in time of a column; kNoTime when it is NULL.
Result<Time> time_of(const std::optional<std::string>& column);

inline constexpr const char* kOutputColumns = "id, part, window_end, config_hash, reference, crc, size";
struct StoredOutput {
  std::int64_t id = 0;
  HandedOver what;
  // What was written of it.
  std::uint32_t crc = 0;
  std::size_t size = 0;
};
// A row of kOutputColumns; its bytes (driftd_output_chunk) are read after it.
Result<StoredOutput> output_of(const std::string& stream, const stats::MysqlSession::Row& row);
// Of one that has its bytes: are they, and all that its row says, what was written?
Status intact(const StoredOutput& output);
// What there is to say and do about one that is damaged in the way `how`.
Error damaged(const StoredOutput& output, const std::string& how);

inline constexpr const char* kProgressColumns = "part, told_hash, closed_until, warm_from, idle, TIMESTAMPDIFF(SECOND, beat, NOW(6))";
struct StoredProgress {
  HandOverProgress what;
  Duration unread = 0;  // since when nobody reads the partition; a year at most
};
// A row of kProgressColumns.
Result<StoredProgress> progress_of(const std::string& stream, const stats::MysqlSession::Row& row);

}  // namespace driftd::app
