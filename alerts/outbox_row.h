// OutboxRow: a message as it stands in the outbox, and how it is written into a row and read back.
//
// A row has no checksum, so what is read is held against what the outbox can have written: a message that is half
// believed would end the wrong alert, or stand in the way of those behind it. Thread-safety: functions without state.
#pragma once

#include <cstdint>
#include <string>

#include "alerts/notifier.h"
#include "core/result.h"

namespace driftd::alerts {

enum class RowState : std::uint8_t {
  kPending,    // to be sent, or to be sent again
  kDelivered,  // taken by the receiver
  kRejected,   // the receiver will never take it
  kGone,       // the receiver said that it is gone (410)
  kCooldown,   // a retrain request within the cooldown of the one before; never sent
  kDropped     // attempts used up, damaged, its receiver removed, or dropped by an operator
};
const char* to_string(RowState state);  // pending delivered rejected gone cooldown dropped

struct OutboxRow {
  std::string receiver;
  Message message;  // attempt: the next one
  RowState state = RowState::kPending;
  Time next_attempt_at = 0;  // wall clock
  std::string detail;        // of the newest attempt
};

// The columns of table outbox, as they stand there.
struct OutboxColumns {
  std::string id, receiver, type, group_key, body;
  std::int64_t created_at = 0, attempts = 0, next_attempt_at = 0, state = 0;
  std::string detail;
};

// The column `body`: what of the message has no column of its own.
std::string encode_body(const Message& message);

// kCorrupt, with the id, when the outbox cannot have written this: an id that is no header value, an unknown type or
// state, times before 1970 or after 2223, alerts whose fingerprint is not theirs, findings that are no JSON.
Result<OutboxRow> row_of(OutboxColumns columns);

// Whether it can be a time of the wall clock that was stored.
bool is_stored_wall_time(std::int64_t t);

}  // namespace driftd::alerts
