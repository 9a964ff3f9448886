// SensorState: what a check remembers of each sensor, by the sensor's number.
//
// State must be default-constructible, say with used() whether it holds anything, and have
// save(ByteWriter&) and load(ByteReader&); load calls ByteReader::fail() on what save cannot have
// written. Memory: sizeof(State) a sensor number, grown by half when a higher number comes. The
// number of sensors is bounded by the dictionary that gives the numbers.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "core/bytes.h"
#include "core/time.h"

namespace driftd::rules {

template <class State>
class SensorState {
 public:
  // More sensors than any dictionary may hold; only for damaged input.
  static constexpr std::uint32_t kMostSensors = 1U << 26;

  State& operator[](std::uint32_t sensor) {
    if (sensor >= states_.size()) grow(sensor);
    return states_[sensor];
  }
  void forget(std::uint32_t sensor) {
    if (sensor < states_.size()) states_[sensor] = State();
  }
  std::vector<State>& all() { return states_; }

  void save(ByteWriter& out) const {
    std::size_t size = states_.size();
    while (size > 0 && !states_[size - 1].used()) --size;
    out.u32(static_cast<std::uint32_t>(size));
    for (std::size_t i = 0; i < size; ++i) {
      out.boolean(states_[i].used());
      if (states_[i].used()) states_[i].save(out);
    }
  }
  // `what` names the check in the error.
  Status load(ByteReader& in, const char* what) {
    states_.assign(in.count(kMostSensors), State());
    for (std::size_t i = 0; i < states_.size() && !in.failed(); ++i) {
      const std::uint8_t used = in.u8();
      if (used > 1) in.fail();
      if (used == 0) continue;
      states_[i].load(in);
      if (!states_[i].used()) in.fail();
    }
    if (!states_.empty() && !states_.back().used()) in.fail();
    if (!in.failed()) return {};
    states_.clear();
    return Error{ErrorCode::kCorrupt, std::string(what) + ": the state of its sensors is damaged"};
  }

 private:
  void grow(std::uint32_t sensor) {
    const std::size_t wanted = static_cast<std::size_t>(sensor) + 1;
    states_.resize(std::max(wanted, states_.size() + states_.size() / 2));
  }

  std::vector<State> states_;
};

// A State: the newest event time of the sensor's records.
struct NewestTime {
  Time time = kNoTime;
  bool used() const { return time != kNoTime; }
  void save(ByteWriter& out) const { out.i64(time); }
  void load(ByteReader& in) { time = in.time(); }
};

}  // namespace driftd::rules
