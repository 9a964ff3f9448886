// Rejects: records that cannot become a row. Each is counted under a reason of this closed list,
// kept in the quarantine with its position, and passed; none stops a stream.
#pragma once

#include <string_view>

#include "core/raw_batch.h"

namespace driftd {

#define DRIFTD_REJECT_REASONS(X)                                                                                  \
  X(kEmptyPayload, "empty_payload", "the record has no bytes")                                                    \
  X(kUndecodable, "undecodable", "the bytes are not what the decoder reads (JSON, CSV row)")                      \
  X(kNotAnObject, "not_an_object", "valid JSON, but neither an object nor what was asked for")                    \
  X(kTooLarge, "too_large", "the record is larger than decode.max_record")                                        \
  X(kTooDeep, "too_deep", "JSON nested deeper than decode.max_depth")                                             \
  X(kMissingSensor, "missing_sensor", "no sensor field, or null, empty or over 256 bytes")                        \
  X(kMissingTime, "missing_time", "no time field, or null")                                                       \
  X(kBadTime, "bad_time", "the time is not of the declared unit or layout")                                       \
  X(kAbsurdTime, "absurd_time", "the time is before 1980 or after 2200")                                          \
  X(kFutureTime, "future_time",                                                                                   \
    "the time is later than arrival + decode.max_future or, without arrival, far ahead of the records around it") \
  X(kColumnCount, "column_count", "a CSV row with more or fewer columns than the header")                         \
  X(kSensorLimit, "sensor_limit", "a new sensor over limits.sensors, with none silent for long enough")

enum class RejectReason {
#define X(name, word, meaning) name,
  DRIFTD_REJECT_REASONS(X)
#undef X
};
inline constexpr int kRejectReasons = 0
#define X(name, word, meaning) +1
    DRIFTD_REJECT_REASONS(X)
#undef X
    ;

const char* to_string(RejectReason reason);       // the stable word
const char* reject_meaning(RejectReason reason);  // for `driftd describe`

class RejectSink {
 public:
  virtual ~RejectSink() = default;
  // `detail` is prose for people ("column 3: ..."); it may be empty.
  virtual void reject(const RawRecord& record, RejectReason reason, std::string_view detail) = 0;
  // A field of the record that the schema does not have. Called per occurrence; must be cheap.
  virtual void extra_field(std::string_view name) = 0;
};

}  // namespace driftd
