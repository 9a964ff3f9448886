// Reads what a Quarantine keeps, record by record, oldest first: for `driftd quarantine`.
//
// It may read while a running driftd writes. A line that is damaged (torn by a crash, edited) is counted
// and passed over, as is a record that is there already: driftd keeps it again when it was killed before a
// checkpoint was past it, and so read it again. Thread-safety: none. Memory: one line, and some 50 bytes a record.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"
#include "core/time.h"

namespace driftd::ingest {

struct QuarantinedRecord {
  Time time = 0;           // wall clock, when it was rejected, or failed
  Time arrival = kNoTime;  // of the record
  std::string stream;
  std::uint32_t partition = 0;
  std::int64_t position = 0;
  std::string reason;  // see RejectReason; or kFailedReason
  std::string detail;
  std::string topic;       // its first 256 bytes, as text
  std::string key;         // the bytes
  bool whole_key = true;   // else its first 4096 bytes
  std::string payload;     // the bytes
  bool text = true;        // the payload is UTF-8
  std::uint64_t size = 0;  // of the whole payload; more than payload.size() when only its beginning was kept
  bool truncated() const { return size > payload.size(); }
  // Tells records apart, the same each time one is kept: of where it was read, when it came, and its bytes.
  std::uint64_t identity() const;
};

// One line of a quarantine's segments; nullopt when it is none.
std::optional<QuarantinedRecord> parse_quarantined(std::string_view line);

// The bytes that RFC 4648 base64 (with padding) stands for; nullopt when it is none.
std::optional<std::string> decode_base64(std::string_view text);

struct QuarantineTotals {
  std::uint64_t bytes = 0;    // of all segments
  std::uint64_t damaged = 0;  // lines that are no record
  std::uint64_t again = 0;    // lines with a record of an earlier line
};

// Hands every record of a quarantine's folder to `sink`. No folder is no records. Error{kIo}: it cannot
// be read.
Result<QuarantineTotals> read_quarantine(const std::string& folder, const std::function<void(QuarantinedRecord)>& sink);

}  // namespace driftd::ingest
