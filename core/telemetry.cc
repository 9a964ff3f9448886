#include "core/telemetry.h"

#include <algorithm>

namespace driftd {
namespace {

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (from < text.size()) {
    const std::size_t comma = std::min(text.find(',', from), text.size());
    parts.push_back(text.substr(from, comma - from));
    from = comma + 1;
  }
  return parts;
}

const std::vector<MetricInfo>& table() {
  static const std::vector<MetricInfo> rows = {
#define METRIC(id, name, type, labels, help) {name, MetricType::type, split(labels), help},
#include "core/telemetry.def"
#undef METRIC
  };
  return rows;
}

}  // namespace

const MetricInfo& info(Metric metric) { return table()[static_cast<std::size_t>(metric)]; }

Series& Telemetry::series(Metric metric, const std::vector<std::string>& label_values) {
  const std::scoped_lock lock(mutex_);
  const auto it = slots_.find({metric, label_values});
  if (it != slots_.end()) {
    if (!it->second.exported) {
      it->second.exported = true;
      ++exported_;
    }
    return *it->second.series;
  }
  if (exported_ >= cap_) {
    ++dropped_;
    Series*& shared = overflow_[metric];
    if (shared == nullptr) shared = &storage_.emplace_back();
    return *shared;
  }
  Series& made = storage_.emplace_back();
  slots_[{metric, label_values}] = {&made, true};
  ++exported_;
  return made;
}

void Telemetry::remove(Metric metric, const std::vector<std::string>& label_values) {
  const std::scoped_lock lock(mutex_);
  const auto it = slots_.find({metric, label_values});
  if (it != slots_.end()) remove(it->second);
}

// Precondition: mutex_ is held.
void Telemetry::remove(Slot& slot) {
  if (!slot.exported) return;
  slot.exported = false;
  slot.series->reset();
  --exported_;
}

void Telemetry::remove_if(const Gone& gone) {
  const std::scoped_lock lock(mutex_);
  for (auto& [key, slot] : slots_) {
    if (slot.exported && gone(key.first, key.second)) remove(slot);
  }
}

void Telemetry::remove_stream(const std::string& name) {
  remove_if([&](Metric metric, const std::vector<std::string>& values) {
    const std::vector<std::string>& labels = info(metric).labels;
    const auto at = std::find(labels.begin(), labels.end(), "stream");
    return at != labels.end() && values[static_cast<std::size_t>(at - labels.begin())] == name;
  });
}

std::vector<Telemetry::Family> Telemetry::snapshot() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Family> families;
  const auto family = [&](Metric metric) -> Family& {
    if (families.empty() || families.back().metric != metric) families.push_back({metric, {}});
    return families.back();
  };
  auto overflow = overflow_.begin();
  const auto overflow_before = [&](Metric limit) {
    for (; overflow != overflow_.end() && overflow->first < limit; ++overflow) {
      family(overflow->first).samples.push_back({{}, true, overflow->second->value()});
    }
  };
  for (const auto& [key, slot] : slots_) {
    if (!slot.exported) continue;
    if (info(key.first).type == MetricType::kGauge && !slot.series->known()) continue;
    overflow_before(key.first);
    family(key.first).samples.push_back({key.second, false, slot.series->value()});
  }
  overflow_before(Metric::kCount);
  families.push_back({Metric::kSeries, {{{}, false, static_cast<double>(exported_)}}});
  families.push_back({Metric::kSeriesDropped, {{{}, false, dropped_}}});
  return families;
}

std::size_t Telemetry::size() const {
  const std::scoped_lock lock(mutex_);
  return exported_;
}

}  // namespace driftd
