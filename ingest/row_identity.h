// RowIdentity: which sensor a record belongs to and when it happened. Shared by all decoders, so
// that the same sensor and time settings mean the same in every format.
//
// Use: begin(record), then whatever the decoder finds (a value given twice: the last one wins),
// then finish(). The texts handed over must live until finish(). Thread-safety: none. Cost: no
// allocation for a known sensor; a time that is a number is read digit by digit, without rounding.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/reject.h"
#include "core/sensor_dictionary.h"
#include "ingest/decoder.h"
#include "ingest/time_jump.h"

namespace driftd::ingest {

inline constexpr std::size_t kMaxSensorBytes = 256;
inline constexpr Time kEarliestTime = 315532800 * kSecond;  // 1980-01-01; before it a time is absurd
inline constexpr Time kLatestTime = 7258118400 * kSecond;   // 2200-01-01; from it on, too

// What a text says as a point in time, or why it does not.
struct ReadTime {
  Time time = 0;
  std::optional<RejectReason> wrong;  // bad_time, absurd_time
};

// "1700000000.25" in `unit` (fractions beyond nanoseconds are cut; exponents allowed), or RFC 3339
// when the unit is kRfc3339. Times outside the years 1980 to 2199 are absurd.
ReadTime read_time(std::string_view text, TimeUnit unit);

class RowIdentity {
 public:
  explicit RowIdentity(const DecodeOptions& options);

  // The places inside a record where the decoder must look; empty when they stand outside of it.
  const std::string& sensor_path() const { return sensor_path_; }
  const std::string& time_path() const { return time_path_; }
  TimeUnit time_unit() const { return unit_; }

  void begin(const RawRecord& record);
  void set_sensor(std::string_view name) { sensor_ = name; }  // empty: none
  void set_time(std::string_view text) {
    time_text_ = text;
    time_wrong_.reset();
  }
  // There, but of a kind that cannot be a time.
  void set_time_wrong() { time_wrong_ = RejectReason::kBadTime; }

  struct Outcome {
    std::uint32_t sensor = 0;
    Time time = 0;
    std::optional<RejectReason> rejected;
    std::string_view detail;  // the text at fault; may be empty
    Time arrival = kNoTime;   // kNoTime when not known
  };
  // Names the sensor by number, adding it when everything else is good and there is room.
  Outcome finish(SensorDictionary& sensors);

  // What is known of the times so far; part of the decoder's state.
  void save(ByteWriter& out) const { jump_.save(out); }
  Status load(ByteReader& in) { return jump_.load(in); }

 private:
  bool may_be(Time time);

  enum class SensorPlace { kRecord, kKey, kTopic, kTopicLevel, kNone };

  SensorPlace sensor_place_ = SensorPlace::kRecord;
  std::uint32_t topic_level_ = 0;
  std::string sensor_path_;
  std::string time_path_;
  bool time_is_arrival_ = false;
  TimeUnit unit_;
  Duration max_future_;
  TimeJump jump_;

  std::string_view sensor_;
  std::string_view time_text_;
  std::optional<RejectReason> time_wrong_;
  Time arrival_ = kNoTime;
  Clock::Behind behind_;
};

}  // namespace driftd::ingest
