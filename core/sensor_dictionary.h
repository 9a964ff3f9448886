// SensorDictionary: names of sensors to numbers, at most `cap` at a time. When it is full, a new sensor takes
// the place of the one that has been silent the longest (to a sixteenth of `idle`), if that was for `idle` of
// event time at least.
//
// Which sensor goes and which number a new one gets depends on the names and times that were interned and on
// nothing else: not on batches, threads or restarts. The number of an evicted sensor keeps its name, and is
// given to nobody, until kRestEvictions more were evicted and `rest` of event time has passed: so rows of a
// batch that is decoded already, and windows that are not judged yet, still mean what they meant. The owner
// forgets what it knows by the number when Batch::evictions says so.
//
// Thread-safety: none. Cost: as Dictionary, and a comparison; no allocation for a known sensor. Memory: 56
// bytes a number and the name's entry in a map. Numbers are at most about 2 cap + kRestEvictions.
#pragma once

#include <algorithm>
#include <array>
#include <deque>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/bytes.h"
#include "core/dictionary.h"
#include "core/time.h"

namespace driftd {

class SensorDictionary {
 public:
  static constexpr std::uint32_t kNone = Dictionary::kNone;
  // More than the rows that are decoded before any of them is processed (PartitionEngine sees to that).
  static constexpr std::size_t kRestEvictions = 16384;

  struct Policy {
    std::uint32_t cap = 1U << 20;
    Duration idle = kHour;  // silent for less: it stays, and new sensors are refused
    Duration rest = 0;
  };

  explicit SensorDictionary(Policy policy) : policy_(policy) {}

  // The number of `name`, which has a record at event time `time`; added when new. kNone when it is new, the
  // dictionary is full and nobody has been silent for long enough. kNoTime: as of the newest time seen.
  std::uint32_t intern(std::string_view name, Time time = kNoTime) {
    now_ = std::max(now_, time);
    std::uint32_t& recent = recent_[Dictionary::slot(name)];
    if (recent < sensors_.size() && sensors_[recent].live && sensors_[recent].name == name) return touch(recent);
    const auto it = numbers_.find(name);
    if (it != numbers_.end()) return touch(recent = it->second);
    if (live() >= policy_.cap && !evict_oldest()) return kNone;
    return recent = add(name);
  }

  // Precondition: number < size().
  const std::string& text(std::uint32_t number) const { return sensors_[number].name; }
  // Numbers given out: all are below.
  std::uint32_t size() const { return static_cast<std::uint32_t>(sensors_.size()); }
  std::uint32_t live() const { return static_cast<std::uint32_t>(numbers_.size()); }

  // Numbers that were evicted since clear_evicted(), oldest first.
  const std::vector<std::uint32_t>& evicted() const { return evicted_; }
  void clear_evicted() { evicted_.clear(); }

  // Precondition for save: evicted() was dealt with.
  void save(ByteWriter& out) const;
  Status load(ByteReader& in);

 private:
  struct Sensor {
    std::string name;
    Time seen = kNoTime;                          // newest event time of all sensors when it last had a record, to a grain
    std::uint32_t before = kNone, after = kNone;  // in the order of `seen`
    bool live = false;
  };
  struct Resting {
    std::uint32_t number;
    Time since;
  };

  // A sensor moves in the order at most 16 times in `idle`, not with each record.
  Duration grain() const { return policy_.idle / 16; }

  static bool passed(Time now, Time since, Duration length) { return now != kNoTime && since != kNoTime && now - since >= length; }

  std::uint32_t touch(std::uint32_t number) {
    if (now_ != kNoTime && (sensors_[number].seen == kNoTime || now_ - sensors_[number].seen > grain())) {
      unlink(number);
      append(number);
    }
    return number;
  }

  void unlink(std::uint32_t number) {
    const Sensor& s = sensors_[number];
    (s.before == kNone ? first_ : sensors_[s.before].after) = s.after;
    (s.after == kNone ? last_ : sensors_[s.after].before) = s.before;
  }
  void append(std::uint32_t number) {
    Sensor& s = sensors_[number];
    s.seen = now_;
    s.before = last_;
    s.after = kNone;
    (last_ == kNone ? first_ : sensors_[last_].after) = number;
    last_ = number;
  }

  bool evict_oldest() {
    if (first_ == kNone || !passed(now_, sensors_[first_].seen, policy_.idle + grain())) return false;
    const std::uint32_t number = first_;
    unlink(number);
    numbers_.erase(sensors_[number].name);
    sensors_[number].live = false;
    resting_.push_back({number, now_});
    evicted_.push_back(number);
    return true;
  }

  std::uint32_t add(std::string_view name) {
    auto number = static_cast<std::uint32_t>(sensors_.size());
    if (resting_.size() > kRestEvictions && passed(now_, resting_.front().since, policy_.rest)) {
      number = resting_.front().number;
      resting_.pop_front();
    } else {
      sensors_.emplace_back();
    }
    sensors_[number].name = name;
    sensors_[number].live = true;
    numbers_.emplace(sensors_[number].name, number);
    append(number);
    return number;
  }

  Policy policy_;
  Time now_ = kNoTime;
  std::array<std::uint32_t, 1U << Dictionary::kSlotBits> recent_{};  // numbers; only ever a guess
  std::deque<Sensor> sensors_;                                       // by number; a deque never moves its strings: numbers_ views them
  std::unordered_map<std::string_view, std::uint32_t> numbers_;      // of the live ones
  std::uint32_t first_ = kNone, last_ = kNone;                       // of the live ones: silent the longest, the shortest
  std::deque<Resting> resting_;                                      // evicted, oldest first
  std::vector<std::uint32_t> evicted_;
};

}  // namespace driftd
