#include "ingest/row_identity.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "core/text.h"
#include "ingest/topic_levels.h"

namespace driftd::ingest {
namespace {

constexpr std::array<Duration, 4> kNanosOf = {kSecond, kMillisecond, kMicrosecond, 1};

// Decimal digits from `at` on; nullopt when there are more than 18 (no time of this age needs
// them).
constexpr std::array<std::uint64_t, 4> kLatestOf = {kLatestTime / kSecond, kLatestTime / kMillisecond, kLatestTime / kMicrosecond,
                                                    kLatestTime};
constexpr std::size_t kMaxDigits = 19;  // any number of so many fits into 64 bits

ReadTime judged(Time t) {
  if (t < kEarliestTime || t >= kLatestTime) return {0, RejectReason::kAbsurdTime};
  return {t, std::nullopt};
}

// The slow way, for exponents and numbers that do not fit: to the nearest double.
ReadTime read_as_double(std::string_view text, Duration nanos) {
  const auto v = parse_number(text);
  if (!v || std::isnan(*v)) return {0, RejectReason::kBadTime};
  const double t = *v * static_cast<double>(nanos);
  if (!(std::fabs(t) < 9.2e18)) return {0, RejectReason::kAbsurdTime};
  return judged(static_cast<Time>(std::llround(t)));
}

// Digits that are too many; they may still be no number.
ReadTime far_off(std::string_view text) { return {0, parse_number(text) ? RejectReason::kAbsurdTime : RejectReason::kBadTime}; }

}  // namespace

ReadTime read_time(std::string_view text, TimeUnit unit) {
  if (unit == TimeUnit::kRfc3339) {
    const auto t = parse_time(text);
    return t ? judged(*t) : ReadTime{0, RejectReason::kBadTime};
  }
  const Duration nanos = kNanosOf[static_cast<std::size_t>(unit)];
  std::uint64_t whole = 0;
  std::size_t at = 0;
  const std::size_t most = std::min(text.size(), kMaxDigits);
  for (; at < most && text[at] >= '0' && text[at] <= '9'; ++at) whole = whole * 10 + static_cast<unsigned>(text[at] - '0');
  if (at == 0) return read_as_double(text, nanos);  // a sign, ".5", no number
  if (whole > kLatestOf[static_cast<std::size_t>(unit)]) return far_off(text);
  Duration part = 0;
  if (at < text.size() && text[at] == '.') {
    Duration weight = nanos;
    const std::size_t first = ++at;
    for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at) {
      weight /= 10;
      part += (text[at] - '0') * weight;
    }
    if (at == first) return {0, RejectReason::kBadTime};
  }
  return at == text.size() ? judged(static_cast<Time>(whole) * nanos + part) : read_as_double(text, nanos);
}

RowIdentity::RowIdentity(const DecodeOptions& options) : unit_(options.time_unit), max_future_(options.max_future) {
  if (options.sensor.empty()) {
    sensor_place_ = SensorPlace::kNone;
  } else if (options.sensor == "@key") {
    sensor_place_ = SensorPlace::kKey;
  } else if (options.sensor == "@topic") {
    sensor_place_ = SensorPlace::kTopic;
  } else if (const std::uint32_t level = topic_level(options.sensor); level > 0) {
    sensor_place_ = SensorPlace::kTopicLevel;
    topic_level_ = level;
  } else {
    sensor_path_ = options.sensor;
  }
  time_is_arrival_ = options.time.empty() || options.time == "@arrival";
  if (!time_is_arrival_) time_path_ = options.time;
}

void RowIdentity::begin(const RawRecord& record) {
  switch (sensor_place_) {
    case SensorPlace::kRecord:
      sensor_ = {};
      break;
    case SensorPlace::kKey:
      sensor_ = record.key;
      break;
    case SensorPlace::kTopic:
      sensor_ = record.topic;
      break;
    case SensorPlace::kTopicLevel:
      sensor_ = level_of(record.topic, topic_level_);
      break;
    case SensorPlace::kNone:
      sensor_ = "-";
      break;
  }
  time_text_ = {};
  time_wrong_.reset();
  arrival_ = record.arrival;
  behind_ = record.behind;
}

// Whether a record of `time` can have arrived when it did. One from the future of a clock that was set back, but not
// from that of the time as it ran before, shows that the clock is wrong: when it arrived is not known then.
bool RowIdentity::may_be(Time time) {
  if (arrival_ == kNoTime) return jump_.believe(time);
  const Time earliest = time - max_future_;
  if (arrival_ >= earliest) return true;
  Time latest = 0;
  if (behind_.most == 0 || __builtin_add_overflow(arrival_, behind_.most, &latest) || latest < earliest) return false;
  arrival_ = kNoTime;
  return true;
}

RowIdentity::Outcome RowIdentity::finish(SensorDictionary& sensors) {
  if (sensor_.empty() || sensor_.size() > kMaxSensorBytes) {
    return {0, 0, RejectReason::kMissingSensor, sensor_};
  }
  Outcome out;
  if (time_is_arrival_) {
    if (arrival_ == kNoTime) return {0, 0, RejectReason::kMissingTime, "no arrival time"};
    // Else all that comes is late when the clock is set back.
    if (__builtin_add_overflow(arrival_, behind_.least, &out.time)) return {0, 0, RejectReason::kAbsurdTime, {}};
    if (const ReadTime read = judged(out.time); read.wrong) return {0, 0, read.wrong, {}};  // a producer's clock may say anything
    arrival_ = out.time;
  } else {
    if (time_wrong_) return {0, 0, time_wrong_, {}};
    if (time_text_.empty()) return {0, 0, RejectReason::kMissingTime, {}};
    const ReadTime read = read_time(time_text_, unit_);
    if (read.wrong) return {0, 0, read.wrong, time_text_};
    out.time = read.time;
    if (!may_be(out.time)) return {0, 0, RejectReason::kFutureTime, time_text_};
  }
  out.arrival = arrival_;
  out.sensor = sensors.intern(sensor_, out.time);
  if (out.sensor == SensorDictionary::kNone) return {0, 0, RejectReason::kSensorLimit, sensor_};
  return out;
}

}  // namespace driftd::ingest
