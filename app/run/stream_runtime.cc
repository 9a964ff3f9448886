#include "app/run/stream_runtime.h"

#include <algorithm>
#include <set>

#include "core/files.h"
#include "core/log.h"

namespace driftd::app {
namespace {

constexpr Duration kPollFor = 100 * kMillisecond;
constexpr std::size_t kQueuedBatches = 4;

}  // namespace

StreamRuntime::StreamRuntime(RuntimeContext context, std::vector<PlanEdition> plans)
    : context_(std::move(context)), plan_(plans.front().plan), metrics_(*context_.telemetry, plan_), plans_(std::move(plans)) {}

Result<std::unique_ptr<StreamRuntime>> StreamRuntime::make(RuntimeContext context, std::vector<PlanEdition> plans) {
  std::unique_ptr<StreamRuntime> runtime(new StreamRuntime(std::move(context), std::move(plans)));
  const StreamConfig& config = runtime->plan_->config;
  auto merger = runtime->make_merger();
  if (!merger) return merger.error();
  runtime->merger_ = std::move(*merger);

  ingest::SourceContext source;
  source.stream = config.name;
  source.data_dir = runtime->context_.service->data_dir + "/streams/" + config.name;
  source.journal_cap = runtime->context_.service->journal_cap;
  source.telemetry = runtime->context_.telemetry;
  source.clock = runtime->context_.clock;
  source.sensor_path = config.decode.sensor;
  source.later = [](std::function<void()> what) { std::thread(std::move(what)).detach(); };
  if (const Status s = make_folder(source.data_dir); !s) return s.error().at("stream " + config.name);
  const auto* unit = ingest::sources().find(config.source);
  if (unit == nullptr) return Error{ErrorCode::kNotFound, "stream " + config.name + ": no source '" + config.source + "'"};
  auto made = unit->make(config.source_params, source);
  if (!made) return made.error().at("stream " + config.name + ": " + config.source);
  runtime->source_ = std::move(*made);
  return runtime;
}

StreamRuntime::~StreamRuntime() { stop(); }

Status StreamRuntime::start() {
  if (context_.shared != nullptr && plan_->config.source == "kafka") {
    context_.shared->share(plan_->config.name);
    sharing_ = std::make_unique<Sharing>();
  } else if (const Status s = restore_merger(); !s) {
    return s.error().at("stream " + plan_->config.name);
  }
  const unsigned cores = std::max(1U, std::thread::hardware_concurrency());
  const unsigned workers = context_.service->workers != 0 ? context_.service->workers : cores;
  for (unsigned i = 0; i < workers; ++i) workers_.push_back(std::make_unique<Worker>(kQueuedBatches));
  if (const Status s = source_->open(*this); !s) return s.error().at("stream " + plan_->config.name);
  if (const Status s = open_gate(); !s) return s.error().at("stream " + plan_->config.name);
  tell_merger_partitions();
  poller_ = std::thread([this] { poll_loop(); });
  return {};
}

Status StreamRuntime::open_gate() {
  if (!plan_->config.gate) return {};
  const GateConfig& config = *plan_->config.gate;
  auto gate = source_->make_gate({config.valid, config.invalid, config.transactional_id, config.commit_every});
  if (!gate) return gate.error();
  gate_ = GateRunner::start(std::move(*gate), plan_->config.name, config.buffer, *context_.telemetry);
  return {};
}

void StreamRuntime::stop() {
  tell_to_stop();
  if (poller_.joinable()) poller_.join();
  const std::scoped_lock lock(dispatch_mutex_);  // a checkpoint of another stream may be going through them
  workers_.clear();
}

void StreamRuntime::poll_loop() {
  Duration last_watch = 0, last_listened = 0;
  while (!stop_ && !given_up_) {
    auto raw = std::make_unique<RawBatch>();
    // A source that is paused forgets what it has fetched, so it is only when the gate stays full.
    const bool room = gate_ == nullptr || gate_->room(kPollFor);
    const bool paused = !room || hand_over_full();
    if (gate_ != nullptr || sharing_ != nullptr) source_->pause(paused);
    hold_back();
    const auto got = source_->poll(Deadline::after(room ? kPollFor : 0), *raw);
    if (!got) {
      log::error("the source failed; the stream will be started anew", {{"stream", plan_->config.name}, {"why", got.error().message}});
      const std::scoped_lock lock(status_mutex_);
      failure_ = got.error().message;
      break;
    }
    tell_merger_partitions();
    if (*got) dispatch(std::move(raw));
    commit_positions();
    if (!paused && monotonic_now() - last_listened >= kPollFor) {  // while paused nobody can be heard
      last_listened = monotonic_now();
      watch_silence();
    }
    if (monotonic_now() - last_watch >= kPollFor) {
      last_watch = monotonic_now();
      watch_status();
      if (source_->finished()) end_partitions();
    }
  }
  metrics_.source_up(false);
  metrics_.lags({});
  while (!stop_) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  source_->close();
  commit_positions();
  {
    const std::scoped_lock lock(dispatch_mutex_);
    for (const auto& worker : workers_) worker->drain();
  }
  if (gate_ != nullptr) gate_->stop();
}

void StreamRuntime::dispatch(std::unique_ptr<RawBatch> raw) {
  const std::scoped_lock lock(dispatch_mutex_);
  const auto it = partitions_.find(raw->partition);
  if (it == partitions_.end()) return;  // given up between reading and now; another one reads it
  Partition& partition = *it->second;
  ++partition.batches;
  // Before it is known whether any of its records can be read: no window that they belong to may close meanwhile.
  if (partition.idle) {
    partition.idle = false;
    const std::scoped_lock merger_lock(merger_mutex_);
    set_idle(raw->partition, false);
  }
  std::shared_ptr<RawBatch> shared = std::move(raw);
  push(partition, [this, number = shared->partition, &partition, shared, came_at = silence_.listened(monotonic_now())] {
    const Time newest = partition.engine->max_time();
    partition.engine->process(*shared, *this);
    if (partition.verdicts != nullptr) judged(partition.verdicts->take(shared));
    hear(number, partition, came_at, newest);
    if (!shared->records.empty()) partition.mark = driftd::mark_of(shared->records.back());
    count(partition);
    --partition.batches;
  });
}

// Worker.
void StreamRuntime::judged(ingest::GateBatch batch) {
  if (plan_->config.quarantine_failed) {
    for (const ingest::GateMark& mark : batch.marks) {
      if (mark.rejected) continue;  // it is there already
      metrics_.quarantined(mark.check).add();
      context_.on_failed(plan_->config.name, batch.raw->partition, batch.raw->records[mark.record], mark);
    }
  }
  if (gate_ != nullptr) gate_->add(std::move(batch));
}

// Blocks while the worker's queue is full; the source is kept alive, paused, in the meantime.
void StreamRuntime::push(Partition& partition, Worker::Task task) {
  if (partition.worker->push(std::move(task), Deadline::after(kPollFor))) return;
  source_->pause(true);
  // NOLINTNEXTLINE(bugprone-use-after-move): a worker that says no has not taken it.
  while (!partition.worker->push(std::move(task), Deadline::after(kPollFor))) {
    // Nothing can be read while paused; poll only keeps the session. Assignment changes would need the
    // lock this thread holds, so a source that reports them here must wait for the next round.
  }
  source_->pause(false);
}

void StreamRuntime::count(Partition& partition) {
  const PartitionCounters& now = partition.engine->counters();
  metrics_.accepted().add(static_cast<double>(now.accepted - partition.counted.accepted));
  metrics_.duplicate().add(static_cast<double>(now.duplicate - partition.counted.duplicate));
  if (now.late != partition.counted.late) count_late(now.late - partition.counted.late);
  if (now.evicted != partition.counted.evicted) {
    context_.telemetry->series(Metric::kSensorsEvicted, {plan_->config.name})
        .add(static_cast<double>(now.evicted - partition.counted.evicted));
  }
  note_detectors(partition);
  partition.counted = now;
  partition.sensors = partition.engine->dictionaries().sensors.live();
}

void StreamRuntime::note_detectors(Partition& partition) const {
  for (std::size_t i = 0; i < partition.detectors.size(); ++i) {
    partition.detectors[i] = static_cast<std::uint8_t>(partition.engine->state(metrics_.detectors()[i]));
  }
}

void StreamRuntime::watch_status() {
  const ingest::SourceStatus status = source_->status();
  const std::string& name = plan_->config.name;
  metrics_.source_up(status.ready());
  if (gate_ != nullptr) (void)gate_->trouble();  // finds out, for its metric, that a call of it hangs
  {
    const std::scoped_lock lock(merger_mutex_);
    context_.telemetry->series(Metric::kWindowsWaiting, {name}).set(static_cast<double>(merger_->pending_bytes()));
  }
  std::uint64_t sensors = 0;
  std::vector<std::uint8_t> detectors(metrics_.detectors().size());
  {
    const std::scoped_lock lock(dispatch_mutex_);
    for (const auto& [number, partition] : partitions_) {
      sensors += partition->sensors;
      for (std::size_t i = 0; i < detectors.size(); ++i) detectors[i] = std::max(detectors[i], partition->detectors[i].load());
    }
  }
  for (std::size_t i = 0; i < detectors.size(); ++i) metrics_.detector(i, static_cast<Verdict>(detectors[i]));
  context_.telemetry->series(Metric::kSensors, {name}).set(static_cast<double>(sensors));
  metrics_.lags(status.partitions);
}

void StreamRuntime::end_partitions() {
  const std::scoped_lock lock(dispatch_mutex_);
  for (auto& [number, partition] : partitions_) {
    if (partition->ended) continue;
    partition->ended = true;
    push(*partition, [this, n = number, p = partition.get()] {
      p->engine->finish(*this);
      note_detectors(*p);
      const std::scoped_lock merger_lock(merger_mutex_);
      set_idle(n, true);
    });
  }
}

void StreamRuntime::take(PartitionOutput output) {
  std::uint64_t too_late = 0;
  {
    const std::scoped_lock lock(merger_mutex_);
    if (sharing_ != nullptr && !sharing_->leads) return keep(output);
    too_late = merger_->take(std::move(output));
  }
  if (too_late != 0) count_late(too_late);
}

void StreamRuntime::count_late(std::uint64_t records) {
  metrics_.late().add(static_cast<double>(records));
  context_.telemetry->series(Metric::kLateRecords, {plan_->config.name}).add(static_cast<double>(records));
}

std::string StreamRuntime::failure() const {
  const std::scoped_lock lock(status_mutex_);
  return failure_;
}

StreamStatus StreamRuntime::status() const {
  StreamStatus out;
  out.name = plan_->config.name;
  out.source = plan_->config.source;
  const ingest::SourceStatus source = source_->status();
  out.ready = source.ready();
  out.detail = source.connected && !source.missing.empty() ? source.missing : source.detail;
  if (std::string why = failure(); !why.empty()) {
    out.ready = false;
    out.detail = std::move(why);
  }
  if (gate_ != nullptr && out.ready) {
    const std::string trouble = gate_->trouble();
    out.ready = trouble.empty();
    if (!out.ready) out.detail = "gate: " + trouble;
  }
  if (!out.ready && out.detail.empty()) out.detail = source.connected ? "no partitions assigned yet" : "not connected";
  auto& metrics = const_cast<StreamMetrics&>(metrics_);
  out.accepted = static_cast<std::uint64_t>(metrics.accepted().value());
  out.rejected = static_cast<std::uint64_t>(metrics.rejected().value());
  out.late = static_cast<std::uint64_t>(metrics.late().value());
  out.duplicate = static_cast<std::uint64_t>(metrics.duplicate().value());
  for (const auto& p : source.partitions) {
    if (p.lag) out.lag = out.lag.value_or(0) + *p.lag;
  }
  {
    const std::scoped_lock lock(dispatch_mutex_);
    out.partitions = partitions_.size();
    for (const auto& [number, partition] : partitions_) out.sensors += partition->sensors;
  }
  const std::scoped_lock lock(merger_mutex_);
  out.complete_until = merger_->complete_until();
  return out;
}

}  // namespace driftd::app
