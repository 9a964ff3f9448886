// The assignment side of StreamRuntime: partitions that come. stream_leaving.cc has how they go.
#include <algorithm>
#include <utility>

#include "app/engine/engine_reasons.h"
#include "app/run/stream_runtime.h"
#include "core/log.h"

namespace driftd::app {
namespace {

// A group that does not settle for so long after it took partitions away is not waited for.
constexpr Duration kSettleWithin = 60 * kSecond;

}  // namespace

std::optional<std::int64_t> StreamRuntime::on_assigned(std::uint32_t number) {
  if (given_up_) return std::nullopt;
  const std::scoped_lock lock(dispatch_mutex_);
  auto partition = std::make_unique<Partition>();
  const std::string& stream = plan_->config.name;
  if (gate_ != nullptr || plan_->config.quarantine_failed) partition->verdicts = std::make_unique<RecordVerdicts>(plan_);
  partition->rejects = std::make_unique<PartitionRejects>(
      [this, number, verdicts = gate_ != nullptr ? partition->verdicts.get() : nullptr](const RawRecord& record, RejectReason reason,
                                                                                        std::string_view detail) {
        if (verdicts != nullptr) verdicts->rejected(record, reason, detail);
        metrics_.rejected().add();
        metrics_.reject_reason(reason).add();
        context_.on_reject(plan_->config.name, number, record, reason, detail);
      },
      [this](std::string_view field) {
        if (!new_extra_field(field)) return;
        log::info("a field that the schema does not have", {{"stream", plan_->config.name}, {"field", std::string(field)}});
        context_.telemetry->series(Metric::kExtraFields, {plan_->config.name, std::string(field)}).set(1);
      });
  auto engine = make_engine(number, *partition->rejects);
  if (!engine) {
    log::error("a partition cannot be started",
               {{"stream", stream}, {"partition", std::to_string(number)}, {"why", engine.error().message}});
    return std::nullopt;
  }
  partition->engine = std::move(*engine);
  partition->worker = workers_[number % workers_.size()].get();
  partition->spoke_at = partition->heard_at = partition->advanced_at = silence_.listened(monotonic_now());
  std::optional<std::int64_t> position;
  const auto unit = context_.store->unit(stream, number);
  // What cannot be read now may be read later; only what is damaged is given up.
  if (!unit && unit.error().code != ErrorCode::kCorrupt) {
    give_up("the checkpoint of partition " + std::to_string(number) + " cannot be read: " + unit.error().message);
    return std::nullopt;
  }
  if (!unit) {
    log::error("the checkpoint of a partition cannot be read; it starts where the source says and warms up",
               {{"stream", stream}, {"partition", std::to_string(number)}, {"why", unit.error().message}});
    partition->engine->warm_up();
  } else if (*unit) {
    position = (*unit)->position;
    restore(*partition, **unit);
    const std::scoped_lock commit_lock(commit_mutex_);
    positions_[number] = {*position, 0};
  }
  partition->detectors = std::vector<std::atomic<std::uint8_t>>(metrics_.detectors().size());
  note_detectors(*partition);
  if (partition->verdicts != nullptr) partition->engine->tell(*partition->verdicts);
  if (gate_ != nullptr) gate_->assigned(number, position.value_or(0));
  if (sharing_ != nullptr) {
    {
      const std::scoped_lock merger_lock(merger_mutex_);
      sharing_->mine.insert(number);
      sharing_->progress[number] = {stream, number, plan_->config.hash, kNoTime, kNoTime, false};
      sharing_->untold.erase(number);
      sharing_->told.erase(number);
    }
    // What whoever had it before handed over comes before what it hands over here.
    if (const Status s = leads() ? gather(true) : Status(); !s) {
      give_up("what partition " + std::to_string(number) + " handed over cannot be read: " + s.error().message);
      return std::nullopt;
    }
  }
  partitions_[number] = std::move(partition);
  newly_assigned_ = true;
  log::info(
      "partition assigned",
      {{"stream", stream}, {"partition", std::to_string(number)}, {"from", position ? std::to_string(*position) : "the source's start"}});
  return position;
}

// Worker. Names are in metrics, so that they are bounded by stream, however many partitions come and go.
bool StreamRuntime::new_extra_field(std::string_view& name) {
  const std::scoped_lock lock(status_mutex_);
  if (extra_fields_.find(name) != extra_fields_.end()) return false;
  if (extra_fields_.size() >= PartitionRejects::kMaxNames) name = PartitionRejects::kOtherNames;
  return extra_fields_.emplace(name).second;
}

std::optional<RecordMark> StreamRuntime::mark_of(std::uint32_t number) {
  const std::scoped_lock lock(dispatch_mutex_);
  const auto it = partitions_.find(number);
  return it == partitions_.end() ? std::nullopt : it->second->mark;
}

void StreamRuntime::on_start(std::uint32_t number, std::int64_t position, bool amid) {
  const std::scoped_lock lock(dispatch_mutex_);
  const auto it = partitions_.find(number);
  if (it == partitions_.end()) return;
  it->second->started = true;
  forget_positions(number, *it->second);
  if (position == 0) context_.lost->forget(plan_->config.name, number);  // a topic that was made anew
  push(*it->second, [partition = it->second.get(), position, amid] {
    partition->engine->set_next_position(position);
    partition->mark.reset();
    if (amid) partition->engine->warm_up();
  });
  if (!amid) return;
  log::warning("records before this position were read elsewhere or are gone; the partition warms up: windows that are open get no verdict",
               {{"stream", plan_->config.name}, {"partition", std::to_string(number)}, {"from", std::to_string(position)}});
}

// Where others stand, or a topic that was made anew begins, is not to be set back, or on, to where we were.
void StreamRuntime::forget_positions(std::uint32_t number, Partition& partition) {
  partition.collected.reset();
  const std::scoped_lock commit_lock(commit_mutex_);
  positions_.erase(number);
  to_show_.erase(number);
}

// Of the old state nothing is kept: a sensor that it last saw before would seem to have been silent since.
bool StreamRuntime::on_elsewhere(std::uint32_t number, std::int64_t position) {
  if (sharing_ != nullptr) return false;  // the position is of all
  const std::scoped_lock lock(dispatch_mutex_);
  const auto it = partitions_.find(number);
  if (it == partitions_.end()) return false;
  Partition& partition = *it->second;
  const std::int64_t ours = partition.engine->next_position();
  if (!begin_anew(number, partition)) return false;
  log::warning("others of the group have read on while the partition was not ours; it goes on where they stand and warms up",
               {{"stream", plan_->config.name},
                {"partition", std::to_string(number)},
                {"ours", std::to_string(ours)},
                {"theirs", std::to_string(position)}});
  partition.engine->set_next_position(position);
  partition.engine->warm_up();
  partition.started = true;
  return true;
}

void StreamRuntime::on_moved(std::uint32_t number) {
  const std::scoped_lock lock(dispatch_mutex_);
  const auto it = partitions_.find(number);
  if (it == partitions_.end() || !begin_anew(number, *it->second)) return;
  context_.lost->forget(plan_->config.name, number);
  if (gate_ != nullptr) gate_->assigned(number, 0);
}

Time StreamRuntime::handed_over_until(std::uint32_t number) const {
  {
    const std::scoped_lock lock(merger_mutex_);
    if (sharing_ == nullptr || sharing_->leads) return merger_->closed_by(number);
  }
  const auto stored = context_.store->progress(plan_->config.name);  // of all partitions
  return stored ? stored->closed_until : kNoTime;
}

// As one of which there is no checkpoint.
bool StreamRuntime::begin_anew(std::uint32_t number, Partition& partition) {
  auto fresh = make_engine(number, *partition.rejects);
  if (!fresh) return false;  // as on_assigned made one of the same plan, it cannot fail
  partition.worker->drain();
  partition.engine = std::move(*fresh);
  // The merger would take what comes for windows that it has for what it knows.
  partition.engine->set_closed_until(handed_over_until(number));
  partition.mark.reset();
  partition.counted = {};
  forget_positions(number, partition);
  partition.had_records = false;
  if (partition.verdicts != nullptr) partition.engine->tell(*partition.verdicts);
  note_detectors(partition);
  return true;
}

Result<std::unique_ptr<PartitionEngine>> StreamRuntime::make_engine(std::uint32_t partition, RejectSink& rejects) const {
  auto engine = PartitionEngine::make(plan_, partition, rejects);
  for (std::size_t i = 1; engine && i < plans_.size(); ++i) {
    if (const Status s = (*engine)->adopt(plans_[i]); !s) return s.error();
  }
  return engine;
}

Time StreamRuntime::next_boundary() const {
  Time boundary = kNoTime;
  for (const auto& [number, partition] : partitions_) boundary = std::max(boundary, partition->engine->next_boundary());
  const auto stored = context_.store->progress(plan_->config.name);
  if (stored && stored->max_time != kNoTime) {
    const Duration slide = plan_->config.windows.slide;
    boundary = std::max({boundary, stored->closed_until, floor_to(stored->max_time, slide) + slide});
  }
  return boundary;
}

Status StreamRuntime::adopt(const PlanEdition& edition) {
  for (const auto& [number, partition] : partitions_) {
    if (const Status s = partition->engine->adopt(edition); !s) return s;
  }
  plans_.push_back(edition);
  const std::scoped_lock lock(merger_mutex_);
  return merger_->adopt(edition);
}

std::shared_ptr<const stats::Reference> StreamRuntime::reference() const {
  const std::scoped_lock lock(dispatch_mutex_);
  return plans_.back().plan->reference;
}

Result<std::unique_ptr<Merger>> StreamRuntime::make_merger() {
  auto merger = Merger::make(plan_, &metrics_, [this](ClosedWindow closed) {
    Telemetry& telemetry = *context_.telemetry;
    const std::string& name = plan_->config.name;
    telemetry.series(Metric::kWatermark, {name}).set(to_seconds(closed.end));
    telemetry.series(Metric::kWindowDelay, {name}).set(to_seconds(context_.clock->now() - closed.end));
    telemetry.series(Metric::kWindows, {name}).add(closed.windows);
    metrics_.found(closed.findings);
    if (closed.end != kNoTime) judged_until_ = closed.end;
    context_.on_window(std::move(closed));
  });
  for (std::size_t i = 1; merger && i < plans_.size(); ++i) {
    if (const Status s = (*merger)->adopt(plans_[i]); !s) return s.error();
  }
  return merger;
}

// A state that cannot be used: what the partitions handed over is gone, so they must not go on as if it were there.
Status StreamRuntime::restore_merger() {
  const auto unit = context_.store->unit(plan_->config.name, kMergerUnit);
  if (!unit && unit.error().code != ErrorCode::kCorrupt) return unit.error();
  const std::scoped_lock lock(merger_mutex_);  // status() may be asked already
  if (!unit) {
    merger_lost_ = unit.error().message;
  } else if (*unit && (*unit)->config_hash == plan_->config.hash) {
    ByteReader in((*unit)->state);
    if (const Status s = merger_->load(in); !s) merger_lost_ = s.error().message;
  }
  judged_until_ = merger_->complete_until();
  if (merger_lost_.empty()) return {};
  auto fresh = make_merger();
  if (!fresh) return fresh.error();
  merger_ = std::move(*fresh);
  log::error(
      "what the partitions of a stream had handed over is lost; they warm up from their positions: windows that are open get no verdict",
      {{"stream", plan_->config.name}, {"why", merger_lost_}});
  return {};
}

void StreamRuntime::restore(Partition& partition, const CheckpointUnit& unit) {
  partition.engine->set_next_position(unit.position);
  if (!unit.damaged) partition.mark = mark_at_end(unit.state);
  if (unit.damaged) return warm_up(partition, unit, "its checksum does not match");
  if (unit.config_hash == plan_->config.hash) {
    const bool parts_lost = !merger_lost_.empty() && started_anew_.insert(static_cast<std::uint32_t>(unit.partition)).second;
    if (parts_lost) return warm_up(partition, unit, "the stream's merger is lost: " + merger_lost_);
    ByteReader in(unit.state);
    if (const Status loaded = partition.engine->load(in); !loaded) return warm_up(partition, unit, loaded.error().message);
    partition.counted = partition.engine->counters();
    partition.had_records = partition.engine->max_time() != kNoTime;
    return;
  }
  ByteReader in(unit.state);
  in.time();  // newest event time
  report_reconfigured(in.time());
}

// Of the checkpoint only the position can be used.
void StreamRuntime::warm_up(Partition& partition, const CheckpointUnit& unit, const std::string& why) {
  log::error("the checkpoint of a partition cannot be used; it warms up from its position: windows that are open get no verdict",
             {{"stream", unit.stream}, {"partition", std::to_string(unit.partition)}, {"why", why}});
  auto fresh = make_engine(static_cast<std::uint32_t>(unit.partition), *partition.rejects);
  if (fresh) partition.engine = std::move(*fresh);
  partition.engine->warm_up();
  partition.engine->set_next_position(unit.position);
}

// The windows that were open under the configuration before end without a verdict.
void StreamRuntime::report_reconfigured(Time window_start) {
  // Once a stream and window, however many partitions were in it.
  if (window_start == kNoTime || !reconfigured_.insert(window_start).second) return;
  const WindowConfig& windows = plan_->config.windows;
  ClosedWindow closed;
  closed.stream = plan_->config.name;  // and no end: no window is judged by this
  Finding f;
  f.stream = plan_->config.name;
  f.check = "window";
  f.verdict = Verdict::kNoVerdict;
  f.reason = kReconfigured;
  f.severity = Severity::kInfo;
  f.window_start = window_start;
  f.window_end = window_start + windows.slide;
  f.id = finding_id(f, plan_->config.hash);
  closed.findings.push_back(std::move(f));
  context_.on_window(std::move(closed));
}

void StreamRuntime::on_settled() {
  newly_assigned_ = true;
  const std::scoped_lock lock(dispatch_mutex_);
  std::set<std::uint32_t> ours;
  for (const auto& [number, partition] : partitions_) ours.insert(number);
  if (!given_up_) context_.lost->assigned(plan_->config.name, ours);  // else one of them may be missing here
}

// Partitions are assigned one by one, but the merger must hear of all at once: it would not wait for those
// that it does not know yet, and judge windows without their part.
void StreamRuntime::tell_merger_partitions() {
  const bool waited = given_up_at_ != 0 && monotonic_now() - given_up_at_ > kSettleWithin;
  if (!std::exchange(newly_assigned_, false) && !waited) return;
  given_up_at_ = 0;
  const std::scoped_lock lock(dispatch_mutex_);
  set_merger_partitions();
}

void StreamRuntime::set_merger_partitions() {
  std::vector<std::uint32_t> numbers;
  for (const auto& [number, partition] : partitions_) numbers.push_back(number);
  const std::scoped_lock lock(merger_mutex_);
  if (sharing_ != nullptr) {
    sharing_->settling = false;
    return wait_for_known();
  }
  merger_->set_partitions(numbers);
  merger_->hold(false);
}

void StreamRuntime::give_up(const std::string& why) {
  if (given_up_.exchange(true)) return;
  log::error("the stream is given up here; it will be started anew", {{"stream", plan_->config.name}, {"why", why}});
  const std::scoped_lock lock(status_mutex_);
  failure_ = why;
}

}  // namespace driftd::app
