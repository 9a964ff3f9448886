#include "app/run/checkpoint_check.h"

#include <algorithm>

#include "app/engine/merger.h"
#include "app/engine/partition_engine.h"
#include "app/engine/reference_plans.h"
#include "app/run/finding_hub.h"
#include "core/bytes.h"

namespace driftd::app {
namespace {

struct NoRejects final : RejectSink {
  void reject(const RawRecord&, RejectReason, std::string_view) override {}
  void extra_field(std::string_view) override {}
};

template <class Part>
Status load_into(Part& part, const std::vector<PlanEdition>& plans, const std::string& state) {
  for (std::size_t i = 1; i < plans.size(); ++i) {
    if (const Status s = part.adopt(plans[i]); !s) return s;
  }
  ByteReader in(state);
  return part.load(in);
}

CheckedPart part_of(const CheckpointUnit& unit) {
  CheckedPart part;
  part.stream = unit.stream;
  part.partition = unit.partition;
  part.position = unit.position;
  part.config_hash = unit.config_hash;
  part.bytes = unit.state.size();
  if (unit.damaged) return part;
  if (unit.partition < kMergerUnit) return part;
  ByteReader in(unit.state);
  const Time first = in.time(), second = in.time();
  if (in.failed()) return part;
  part.newest = unit.partition == kMergerUnit ? kNoTime : first;
  part.closed_until = unit.partition == kMergerUnit ? first : second;
  return part;
}

}  // namespace

Status StateLoader::try_unit(const CheckpointUnit& unit) const {
  const auto known = plans_.find(unit.stream);
  if (known == plans_.end() || known->second.front().plan->config.hash != unit.config_hash) return {};
  const std::vector<PlanEdition>& plans = known->second;
  if (unit.partition == kMergerUnit) {
    auto merger = Merger::make(plans.front().plan, nullptr, [](ClosedWindow) {});
    return merger ? load_into(**merger, plans, unit.state) : Status(merger.error());
  }
  NoRejects rejects;
  auto engine = PartitionEngine::make(plans.front().plan, static_cast<std::uint32_t>(unit.partition), rejects);
  return engine ? load_into(**engine, plans, unit.state) : Status(engine.error());
}

Result<std::vector<PlanEdition>> plans_for(const StreamConfig& stream, stats::ReferenceStore* references, bool all_findings) {
  std::vector<stats::ReferenceEdition> editions;
  if (!stream.reference.empty() && references != nullptr) {
    auto history = references->history(stream.reference, stream.name);
    if (history) {
      editions = std::move(*history);
    } else if (history.error().code != ErrorCode::kNotFound) {
      return history.error().at("stream " + stream.name);
    }
  }
  return make_plans(stream, editions, all_findings);
}

std::string CheckedPart::name() const {
  if (stream.empty()) return "alerts";
  if (partition == kMergerUnit || partition == kAlertsUnit)
    return "stream " + stream + (partition == kMergerUnit ? ", merger" : ", alerts");
  return "stream " + stream + ", partition " + std::to_string(partition);
}

std::size_t CheckedGeneration::damaged() const {
  const auto broken = std::count_if(parts.begin(), parts.end(), [](const CheckedPart& p) { return !p.intact; });
  return static_cast<std::size_t>(broken) + (readable ? 0 : 1);
}

std::string CheckedGeneration::what_is_damaged() const {
  constexpr std::size_t kNamed = 3;
  std::string out = readable ? "" : readable.error().message;
  std::size_t named = readable ? 0 : 1;
  for (const CheckedPart& part : parts) {
    if (part.intact || named++ >= kNamed) continue;
    out += (out.empty() ? "" : "; ") + part.name() + ": " + part.intact.error().message;
  }
  return named > kNamed ? out + "; and " + std::to_string(named - kNamed) + " more" : out;
}

CheckedGeneration check_generation(SqliteStore& store, const Generation& generation, const StateLoader& loader) {
  CheckedGeneration out;
  out.generation = generation;
  CheckedPart& hub = out.parts.emplace_back();
  const auto state = store.hub(generation.number);
  hub.bytes = state ? state->size() : 0;
  hub.intact = state ? FindingHub::try_state(*state) : Status(state.error());
  out.readable = store.each_unit(generation.number, [&](const CheckpointUnit& unit, const Status& intact) {
    out.parts.push_back(part_of(unit));
    out.parts.back().intact = intact ? loader.try_unit(unit) : intact;
  });
  return out;
}

CheckedGeneration check_shared(MysqlStore& store, Time now, const StateLoader& loader) {
  CheckedGeneration out;
  out.generation = {0, now};
  out.readable = store.each_unit([&](const std::string& owner, const CheckpointUnit& unit, const Status& intact) {
    CheckedPart& part = out.parts.emplace_back(part_of(unit));
    part.owner = owner;
    part.intact = intact;
    if (!intact) return;
    if (unit.partition >= kMergerUnit) part.intact = loader.try_unit(unit);
    if (unit.partition == kHubUnit) part.intact = FindingHub::try_state(unit.state);
  });
  return out;
}

std::size_t best_of(const std::vector<CheckedGeneration>& checked) {
  const auto less = [](const CheckedGeneration& a, const CheckedGeneration& b) { return a.damaged() < b.damaged(); };
  return static_cast<std::size_t>(std::min_element(checked.begin(), checked.end(), less) - checked.begin());
}

}  // namespace driftd::app
