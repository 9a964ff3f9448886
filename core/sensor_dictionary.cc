// How the sensors of a partition are stored; docs/FORMATS.md, "Checkpoint".
#include "core/sensor_dictionary.h"

namespace driftd {
namespace {

constexpr std::uint32_t kMostNumbers = 1U << 28;  // only for damaged input

Status damaged() { return Error{ErrorCode::kCorrupt, "sensors: damaged"}; }

}  // namespace

void SensorDictionary::save(ByteWriter& out) const {
  out.i64(now_);
  out.u32(size());
  out.u32(live());
  for (std::uint32_t number = first_; number != kNone; number = sensors_[number].after) {
    out.u32(number);
    out.str(sensors_[number].name);
    out.i64(sensors_[number].seen);
  }
  for (const Resting& resting : resting_) {
    out.u32(resting.number);
    out.str(sensors_[resting.number].name);
    out.i64(resting.since);
  }
}

Status SensorDictionary::load(ByteReader& in) {
  *this = SensorDictionary(policy_);
  now_ = in.time();
  const std::uint32_t size = in.count(kMostNumbers, 16);
  const std::uint32_t live = in.count(size, 16);
  sensors_.resize(size);
  Time before = kNoTime;  // entries come in the order of their times
  for (std::uint32_t i = 0; i < size; ++i) {
    const std::uint32_t number = in.u32();
    const std::string_view name = in.view();
    const Time time = in.time();
    if (in.failed() || number >= size || name.empty() || !sensors_[number].name.empty() || time > now_) return damaged();
    if (i == live) before = kNoTime;
    if (time < before) return damaged();
    before = time;
    sensors_[number].name = name;
    if (i >= live) {
      resting_.push_back({number, time});
      continue;
    }
    if (!numbers_.emplace(sensors_[number].name, number).second) return damaged();
    sensors_[number].live = true;
    append(number);
    sensors_[number].seen = time;
  }
  return in.failed() ? damaged() : Status();
}

}  // namespace driftd
