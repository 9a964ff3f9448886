// Detector: watches one sequence of numbers (a value, or 0/1 with 1 for an error) for a change.
#pragma once

#include <functional>
#include <memory>

#include "core/bytes.h"
#include "core/registry.h"
#include "core/result.h"
#include "core/time.h"

namespace driftd::stats {

enum class DetectorState : std::uint8_t { kStable = 0, kWarning = 1, kDrift = 2 };

// Larger numbers are kept from detectors: the squares of a whole window of these still add up to a double.
inline constexpr double kMostDetected = 1e130;

class Detector {
 public:
  virtual ~Detector() = default;
  // One value. Precondition: |x| <= kMostDetected (null, NaN and larger ones are counted and skipped
  // before); detectors with binary() get 0 or 1 only. `dt` is the event time since the value before, 0 for the first.
  // After kDrift the detector has started anew by itself, as its paper (or the compat tool) does.
  virtual DetectorState update(double x, Duration dt) = 0;
  virtual void reset() = 0;
  // The number that update() compared with its threshold, and the threshold; for metrics.
  virtual double statistic() const = 0;
  virtual double threshold() const = 0;
  // Wants 0/1 values.
  virtual bool binary() const = 0;
  // State in bounded size; load refuses what save cannot have written.
  virtual void save(ByteWriter& out) const = 0;
  virtual Status load(ByteReader& in) = 0;
};

using DetectorFactory = std::function<Result<std::unique_ptr<Detector>>(const Params& params)>;
using DetectorRegistry = Registry<DetectorFactory>;

// All detectors of stats/detectors.def.
const DetectorRegistry& detectors();

}  // namespace driftd::stats
