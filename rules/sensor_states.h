// SensorStates: one small state a sensor, by the sensor's number in its partition.
//
// S has `static constexpr std::size_t kBytes`, save(ByteWriter&) and load(ByteReader&), and is default
// constructible to "never seen". Grows on demand; bounded by the cap on sensors.
#pragma once

#include <vector>

#include "core/bytes.h"
#include "core/result.h"

namespace driftd::rules {

template <class S>
class SensorStates {
 public:
  S& at(std::uint32_t sensor) {
    if (sensor >= states_.size()) states_.resize(std::max<std::size_t>(sensor + 1, states_.size() * 3 / 2));
    return states_[sensor];
  }
  std::uint32_t size() const { return static_cast<std::uint32_t>(states_.size()); }
  void forget(std::uint32_t sensor) {
    if (sensor < states_.size()) states_[sensor] = S();
  }
  void save(ByteWriter& out) const {
    out.u32(size());
    for (const S& state : states_) state.save(out);
  }
  Status load(ByteReader& in, const char* check) {
    states_.clear();
    states_.resize(in.count(1U << 28, S::kBytes));
    for (S& state : states_) state.load(in);
    return in.done(std::string("state of check ") + check);
  }

 private:
  std::vector<S> states_;
};

}  // namespace driftd::rules
