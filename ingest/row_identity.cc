#include "ingest/row_identity.h"

#include <array>
#include <cmath>

#include "core/text.h"

namespace driftd::ingest {
namespace {

constexpr std::array<Duration, 4> kNanosOf = {kSecond, kMillisecond, kMicrosecond, 1};

// Decimal digits from `at` on; nullopt when there are more than 18 (no time of this age needs
// them).
std::optional<std::int64_t> digits(std::string_view s, std::size_t& at) {
  std::int64_t value = 0;
  const std::size_t first = at;
  for (; at < s.size() && s[at] >= '0' && s[at] <= '9'; ++at) {
    if (at - first >= 19) return std::nullopt;
    if (__builtin_mul_overflow(value, 10, &value)) return std::nullopt;
    if (__builtin_add_overflow(value, s[at] - '0', &value)) return std::nullopt;
  }
  return value;
}

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

}  // namespace

ReadTime read_time(std::string_view text, TimeUnit unit) {
  if (unit == TimeUnit::kRfc3339) {
    const auto t = parse_time(text);
    return t ? judged(*t) : ReadTime{0, RejectReason::kBadTime};
  }
  const Duration nanos = kNanosOf[static_cast<std::size_t>(unit)];
  std::size_t at = 0;
  const auto whole = digits(text, at);
  if (at == 0 || !whole) return read_as_double(text, nanos);  // signs, ".5", too many digits
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
  if (at != text.size()) return read_as_double(text, nanos);
  if (*whole > kLatestTime / nanos) return {0, RejectReason::kAbsurdTime};
  return judged(*whole * nanos + part);
}

RowIdentity::RowIdentity(const DecodeOptions& options)
    : unit_(options.time_unit), max_future_(options.max_future) {
  if (options.sensor.empty()) {
    sensor_place_ = SensorPlace::kNone;
  } else if (options.sensor == "@key") {
    sensor_place_ = SensorPlace::kKey;
  } else if (options.sensor == "@topic") {
    sensor_place_ = SensorPlace::kTopic;
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
    case SensorPlace::kNone:
      sensor_ = "-";
      break;
  }
  time_text_ = {};
  time_wrong_.reset();
  arrival_ = record.arrival;
}

RowIdentity::Outcome RowIdentity::finish(Dictionary& sensors) const {
  if (sensor_.empty() || sensor_.size() > kMaxSensorBytes) {
    return {0, 0, RejectReason::kMissingSensor, sensor_};
  }
  Outcome out;
  if (time_is_arrival_) {
    if (arrival_ == kNoTime) return {0, 0, RejectReason::kMissingTime, "no arrival time"};
    out.time = arrival_;
  } else {
    if (time_wrong_) return {0, 0, time_wrong_, {}};
    if (time_text_.empty()) return {0, 0, RejectReason::kMissingTime, {}};
    const ReadTime read = read_time(time_text_, unit_);
    if (read.wrong) return {0, 0, read.wrong, time_text_};
    out.time = read.time;
    if (arrival_ != kNoTime && out.time > arrival_ && out.time - arrival_ > max_future_) {
      return {0, 0, RejectReason::kFutureTime, time_text_};
    }
  }
  out.sensor = sensors.intern(sensor_);
  if (out.sensor == Dictionary::kNone) return {0, 0, RejectReason::kSensorLimit, sensor_};
  return out;
}

}  // namespace driftd::ingest
