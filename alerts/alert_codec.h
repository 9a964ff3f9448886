// How alerts are stored: in the checkpoint (alerts/alert_book) and in outbox rows (alerts/outbox).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/alert.h"
#include "core/bytes.h"

namespace driftd::alerts {

inline constexpr std::uint32_t kMaxFindingIds = 20;        // of one alert; the newest are kept
inline constexpr std::uint32_t kMaxStoredText = 1U << 16;  // of one text; loading refuses longer ones

void save(ByteWriter& out, const Alert& alert);

// Fails on what save cannot have written: damaged lengths, unknown enumerators, too many ids.
Status load(ByteReader& in, Alert& alert);

void save(ByteWriter& out, const std::vector<std::string>& texts);
// At most `cap` texts.
Status load(ByteReader& in, std::vector<std::string>& texts, std::uint32_t cap);

// An enumerator stored as one byte; marks the reader as failed above `last`.
template <class E>
E load_enum(ByteReader& in, E last) {
  const std::uint8_t value = in.u8();
  if (value > static_cast<std::uint8_t>(last)) in.fail();
  return in.failed() ? E{} : static_cast<E>(value);
}

}  // namespace driftd::alerts
