// Telemetry: every number driftd says about itself and its streams, kept as plain atomics.
//
// A component asks once for its Series and then adds or sets without a lock; exporters/ take a
// snapshot. The number of series is capped (service.limits.series): over the cap a family's values
// go to one series with overflow="true" (counters add up there, a gauge has the value set last), and are
// counted as dropped. Sensor ids, values and p-values
// are never labels. Thread-safe. Cost: series() a lock and a hash, add/set one atomic operation.
#pragma once

#include <atomic>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

namespace driftd {

enum class Metric {
#define METRIC(id, name, type, labels, help) id,
#include "core/telemetry.def"
#undef METRIC
  kCount
};
enum class MetricType { kCounter, kGauge };

struct MetricInfo {
  std::string name;
  MetricType type = MetricType::kGauge;
  std::vector<std::string> labels;
  std::string help;
};
const MetricInfo& info(Metric metric);

class Series {
 public:
  void add(double v = 1) {
    value_.fetch_add(v, std::memory_order_relaxed);
    known_.store(true, std::memory_order_relaxed);
  }
  void set(double v) {
    value_.store(v, std::memory_order_relaxed);
    known_.store(true, std::memory_order_relaxed);
  }
  double value() const { return value_.load(std::memory_order_relaxed); }
  // False until the first add or set. A counter starts at zero, but a gauge that nobody has set yet
  // has no value to export.
  bool known() const { return known_.load(std::memory_order_relaxed); }
  // Back to the state of a new series.
  void reset() {
    value_.store(0, std::memory_order_relaxed);
    known_.store(false, std::memory_order_relaxed);
  }

 private:
  std::atomic<double> value_{0};
  std::atomic<bool> known_{false};
};

class Telemetry {
 public:
  explicit Telemetry(std::size_t series_cap = 20000) : cap_(series_cap) {}

  // The series of these label values, made when new. Lives as long as the Telemetry, also after
  // remove(); keep the reference. Precondition: as many values as info(metric).labels.
  Series& series(Metric metric, const std::vector<std::string>& label_values = {});

  // Takes a series out of what is exported (a stream or segment that is gone).
  void remove(Metric metric, const std::vector<std::string>& label_values);

  // Likewise all series of which `gone` says so. It is called under the lock and must not come back here.
  using Gone = std::function<bool(Metric metric, const std::vector<std::string>& label_values)>;
  void remove_if(const Gone& gone);
  // A stream that is not configured any more: every series, counters too, whose label `stream` is `name`.
  // One that comes back under the name counts from zero, which Prometheus takes for a restart.
  void remove_stream(const std::string& name);

  struct Sample {
    std::vector<std::string> label_values;
    bool overflow = false;
    double value = 0;
  };
  struct Family {
    Metric metric;
    std::vector<Sample> samples;  // ordered by label values
  };
  // Families in the order of the list (those of Telemetry itself last), empty ones left out; gauges
  // that were never set are not in it.
  std::vector<Family> snapshot() const;

  std::size_t size() const;

 private:
  struct Slot {
    Series* series;
    bool exported;
  };
  void remove(Slot& slot);
  using Key = std::pair<Metric, std::vector<std::string>>;

  std::size_t cap_;
  mutable std::mutex mutex_;
  std::deque<Series> storage_;
  std::map<Key, Slot> slots_;
  std::map<Metric, Series*> overflow_;
  std::size_t exported_ = 0;
  double dropped_ = 0;
};

}  // namespace driftd
