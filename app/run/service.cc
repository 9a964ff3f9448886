#include "app/run/service.h"

#include <malloc.h>

#include <algorithm>
#include <chrono>

#include "app/run/service_api.h"
#include "core/files.h"
#include "core/log.h"
#include "exporters/api.h"

namespace driftd::app {
namespace {

constexpr std::chrono::seconds kBeat{1};  // see Service::beats()
// That a checkpoint, and with it partitions that are to be given up, waits for the topics of rejects; less when one of them is away.
constexpr Duration kRejectsWithin = kSecond;
constexpr Duration kSettleWithin = 20 * kSecond;

}  // namespace

Service::Service(Config config, std::string path)
    : config_(std::move(config)),
      path_(std::move(path)),
      telemetry_(config_.service.series_cap),
      shutdown_grace_(config_.service.shutdown_grace) {}

Service::~Service() { stop(); }

Status Service::start() {
  const ServiceConfig& service = config_.service;
  auto web = open_web_access(service, &telemetry_);
  if (!web) return web.error();
  if (const Status s = make_folder(service.data_dir); !s) return s.error().at("data_dir");
  auto lock = DataLock::take(service.data_dir);
  if (!lock) return lock.error();
  lock_ = std::move(*lock);
  if (const Status s = open_references(); !s) return s;
  const auto state = service.store.empty() ? recover() : open_shared_store();
  if (!state) return state.error();
  HubOptions options{service.findings_log, service.findings_max_size, service.data_dir + "/outbox.db", service.external_url, {}};
  // Halted for longer than the lease, another one may judge by now, and has told newer states; the next exchange() finds out.
  if (shared_ != nullptr) options.current = [this] { return monotonic_now() - exchanged_at_ < config_.service.store_lease; };
  auto hub = FindingHub::make(std::move(options), config_.alerts, *state, telemetry_, clock_);
  if (!hub) return hub.error();
  hub_ = std::move(*hub);
  telemetry_.series(Metric::kBuildInfo, {DRIFTD_VERSION, __VERSION__}).set(1);
  for (const auto& [limit, value] : limits_of(service)) telemetry_.series(Metric::kLimit, {limit}).set(value);
  telemetry_.series(Metric::kReloadOk).set(1);
  telemetry_.series(Metric::kReloadTime).set(to_seconds(clock_.now()));
  telemetry_.series(Metric::kCheckpointAge).set(0);
  telemetry_.series(Metric::kClockBehind).set(0);
  telemetry_.series(Metric::kCheckpointBytes).set(0);
  telemetry_.series(Metric::kCheckpointFailures);
  telemetry_.series(Metric::kOutboxPending);
  // Else a kill before the next one would find no length of the findings log, and what is judged until then would stand in it twice.
  if (!*state) {
    if (const Status first = checkpoint(); !first) return first.error().at("the first checkpoint");
  }
  if (const Status s = start_http(std::move(*web)); !s) return s;
  take_promotions();
  std::vector<std::string> names;
  for (const StreamConfig& stream : config_.streams) names.push_back(stream.name);
  hub_->forget_others(names);
  for (const StreamConfig& stream : config_.streams) {
    // What of it is in the hub's state may be long over; it comes with the office (StreamRuntime::exchange).
    if (shared_ != nullptr && stream.source == "kafka") {
      const auto ours = shared_->led_before(stream.name);
      hub_->drop(stream.name, !ours || !*ours);
    }
    // A stream that was started anew from an older checkpoint may have been killed before it was where it had been.
    if (shared_ == nullptr) {
      const auto merger = store_->unit(stream.name, kMergerUnit);
      const bool known = merger && *merger && (*merger)->config_hash == stream.hash;
      if (known && Merger::complete_until((*merger)->state) != kNoTime) hub_->go_on(stream);
    }
    hub_->configure(stream);
    // A stream that cannot start is tried again later; the others need not wait for it.
    if (const auto started = start_stream(stream); !started) not_started(stream, started.error());
  }
  publish_ages();
  dispatcher_ = std::thread([this] { hub_->dispatch(); });
  timer_ = std::thread([this] { timer_loop(); });
  log::info("driftd runs", {{"version", DRIFTD_VERSION},
                            {"listen", service.listen},
                            {"data_dir", service.data_dir},
                            {"streams", std::to_string(config_.streams.size())}});
  return {};
}

Status Service::start_http(std::shared_ptr<exporters::WebAccess> web) {
  api_ = std::make_unique<ServiceApi>(*this);
  exporters::HttpServer::Options options;
  options.listen = config_.service.listen;
  options.requests_per_second = config_.service.http_requests;
  options.web = std::move(web);
  auto server = exporters::HttpServer::start(options, exporters::api_router(*api_, telemetry_), &telemetry_);
  if (!server) return server.error();
  http_ = std::move(*server);
  return {};
}

RuntimeContext Service::runtime_context() {
  RuntimeContext context;
  context.service = &config_.service;
  context.telemetry = &telemetry_;
  context.clock = &clock_;
  context.store = &checkpoints();
  context.lost = &lost_;
  context.shared = shared_.get();
  context.on_lead = [this](const StreamConfig& stream, std::string_view alerts) { return begin_to_lead(stream, alerts); };
  context.on_window = [this](ClosedWindow closed) { hub_->take(std::move(closed)); };
  context.checkpoint_now = [this] { return checkpoint(); };
  context.on_reject = [this](const std::string& stream, std::uint32_t partition, const RawRecord& record, RejectReason reason,
                             std::string_view detail) { rejected(stream).keep(partition, record, reason, detail); };
  context.on_failed = [this](const std::string& stream, std::uint32_t partition, const RawRecord& record, const ingest::GateMark& why) {
    rejected(stream).keep_failed(partition, record, why);
  };
  return context;
}

RejectKeeper& Service::rejected(const std::string& stream) {
  const std::scoped_lock lock(rejected_mutex_);
  std::shared_ptr<RejectKeeper>& r = rejected_[stream];
  if (r == nullptr) {
    ingest::QuarantineOptions options;
    options.folder = config_.service.data_dir + "/quarantine/" + stream;
    options.stream = stream;
    options.cap = config_.service.quarantine_cap;
    r = std::make_shared<RejectKeeper>(options, clock_, telemetry_);
  }
  return *r;
}

void Service::secure_rejected() {
  const Deadline deadline = Deadline::after(kRejectsWithin);
  std::vector<std::shared_ptr<RejectKeeper>> all;
  {
    // Not under the lock: streams that go on keep rejects meanwhile.
    const std::scoped_lock lock(rejected_mutex_);
    for (const auto& [name, r] : rejected_) all.push_back(r);
  }
  for (const auto& r : all) r->secure(deadline);
}

std::shared_ptr<StreamRuntime> Service::stream(const std::string& name) const {
  const std::scoped_lock lock(streams_mutex_);
  const auto it = streams_.find(name);
  return it == streams_.end() ? nullptr : it->second;
}

std::vector<StreamStatus> Service::stream_status() const {
  std::vector<std::shared_ptr<StreamRuntime>> all;
  {
    const std::scoped_lock lock(streams_mutex_);
    for (const auto& [name, runtime] : streams_) all.push_back(runtime);
  }
  std::vector<StreamStatus> out;
  for (const auto& runtime : all) out.push_back(runtime->status());
  const std::scoped_lock lock(streams_mutex_);
  for (const StreamConfig& s : config_.streams) {
    if (streams_.count(s.name) != 0) continue;
    StreamStatus& status = out.emplace_back();
    status.name = s.name;
    status.source = s.source;
    const auto why = why_not_started_.find(s.name);
    status.detail = why == why_not_started_.end() ? "not started" : why->second;
  }
  return out;
}

std::vector<std::string> Service::not_ready() const {
  std::vector<std::string> reasons;
  for (const StreamStatus& s : stream_status()) {
    if (!s.ready) reasons.push_back("stream " + s.name + ": " + s.detail);
  }
  const std::scoped_lock lock(streams_mutex_);
  for (const auto& [name, why] : without_reference_) reasons.push_back("stream " + name + ": runs without its reference, " + why);
  return reasons;
}

std::vector<std::shared_ptr<StreamRuntime>> Service::running() const {
  const std::scoped_lock lock(streams_mutex_);
  std::vector<std::shared_ptr<StreamRuntime>> all;
  for (const auto& [name, runtime] : streams_) all.push_back(runtime);
  return all;
}

Result<Checkpoint> Service::collect(const std::vector<std::shared_ptr<StreamRuntime>>& all) {
  for (const auto& runtime : all) runtime->freeze();
  Status complete;
  for (const auto& runtime : all) {
    if (complete) complete = runtime->forward();
  }
  Checkpoint point;
  point.at = clock_.latest();
  ByteWriter hub;
  if (const Status told = hub_->save(hub); complete && !told) complete = told;
  point.hub = hub.take();
  for (const auto& runtime : all) {
    if (!complete) break;
    runtime->collect(point);
    if (!runtime->leads()) continue;
    const std::string& name = runtime->config().name;
    point.units.push_back({name, kAlertsUnit, 0, "", hub_->alerts_of(name)});
  }
  for (const auto& runtime : all) runtime->thaw();
  if (!complete) return complete.error();
  return point;
}

Status Service::checkpoint() {
  const std::scoped_lock lock(checkpoint_mutex_);
  const auto all = running();
  const auto point = collect(all);
  Status written = point ? store(*point) : Status(point.error());
  if (written) {
    for (const auto& runtime : all) runtime->committed();
    checkpointed_ = monotonic_now();
    if (!checkpoint_trouble_.empty()) log::info("checkpoints are written again");
    checkpoint_trouble_.clear();
  } else {
    telemetry_.series(Metric::kCheckpointFailures).add();
    if (checkpoint_trouble_.empty()) {
      log::error("a checkpoint could not be written; it will be tried again", {{"why", written.error().message}});
    }
    checkpoint_trouble_ = written.error().message;
  }
  if (shared_ != nullptr) give_up_fenced(all);
  return written;
}

// Streams go on meanwhile. What they do comes after the checkpoint, also for a kill before it is written.
Status Service::store(const Checkpoint& point) {
  if (const Status s = hub_->sync(); !s) return s;
  secure_rejected();
  const auto bytes = put(point);
  if (!bytes) return bytes.error();
  telemetry_.series(Metric::kCheckpointBytes).set(static_cast<double>(*bytes));
  return {};
}

void Service::settle() {
  const auto stopping = [this] {
    const std::scoped_lock lock(timer_mutex_);
    return stopping_;
  };
  const Deadline deadline = Deadline::after(kSettleWithin);
  for (const auto& runtime : running()) {
    while (!runtime->settle(std::min(kSecond, deadline.left())) && !deadline.passed() && !stopping()) {
    }
  }
}

void Service::timer_loop() {
  using Clock = std::chrono::steady_clock;
  // Asked for anew: a reload, on this thread, may change it.
  const auto every = [this] { return std::chrono::nanoseconds(config_.service.checkpoint_every); };
  Clock::time_point next = Clock::now() + every();
  std::unique_lock lock(timer_mutex_);
  while (!stopping_) {
    ++beats_;
    const auto wanted = [this] { return stopping_ || look_at_references_ || reloads_wanted_ != reloads_done_; };
    const bool woken = timer_wakes_.wait_until(lock, std::min(next, Clock::now() + kBeat), wanted);
    if (stopping_) break;
    const bool due = Clock::now() >= next;
    const std::uint64_t reload = reloads_wanted_;
    const bool must_reload = reload != reloads_done_;
    look_at_references_ = false;
    lock.unlock();
    Status reloaded;
    if (must_reload) {
      reloaded = reload_now();
      // At once, as what new routes told must not be told again under other ids after a kill.
      next = reloaded ? Clock::now() : std::min(next, Clock::now() + every());
    }
    clock_.read();  // seen within a beat that it was set
    if (shared_ != nullptr) exchange();
    if (woken || due) take_promotions();
    restart_failed_streams();
    if (due) {
      settle();
      (void)checkpoint();
      // What bursts and checkpoints leave free lies between what is in use, and resident memory would only ever grow to the
      // largest there was. 10 to 20 ms for 400 MB, beside the streams.
      malloc_trim(0);
      publish_ages();
      next = Clock::now() + every();
    }
    lock.lock();
    if (!must_reload) continue;
    reloads_done_ = reload;
    reloaded_ = std::move(reloaded);
    timer_wakes_.notify_all();
  }
}

void Service::look_at_references() {
  const std::scoped_lock lock(timer_mutex_);
  look_at_references_ = true;
  timer_wakes_.notify_all();
}

std::uint64_t Service::ask_reload() {
  const std::scoped_lock lock(timer_mutex_);
  timer_wakes_.notify_all();
  return ++reloads_wanted_;
}

bool Service::reloaded(std::uint64_t asked) {
  const std::scoped_lock lock(timer_mutex_);
  return reloads_done_ >= asked;
}

Status Service::reload() {
  const std::uint64_t mine = ask_reload();
  std::unique_lock lock(timer_mutex_);
  timer_wakes_.wait(lock, [&] { return stopping_ || reloads_done_ >= mine; });
  if (reloads_done_ < mine) return Error{ErrorCode::kUnavailable, "driftd is stopping"};
  return reloaded_;
}

void Service::measure() {
  telemetry_.series(Metric::kCheckpointAge).set(to_seconds(monotonic_now() - checkpointed_));
  telemetry_.series(Metric::kClockBehind).set(to_seconds(clock_.read().behind.least));
}

void Service::publish_ages() {
  const Time now = clock_.now();
  // Under no lock of the service: reference() waits for a stream whose workers may take rejected_mutex_.
  for (const auto& runtime : running()) {
    const auto reference = runtime->reference();
    if (reference == nullptr) continue;
    telemetry_.series(Metric::kReferenceAge, {runtime->config().name, reference->name})
        .set(to_seconds(now - reference->provenance.created_at));
  }
  const std::scoped_lock lock(rejected_mutex_);
  for (const auto& [name, r] : rejected_) r->publish();
}

void Service::stop() {
  {
    const std::scoped_lock lock(timer_mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  timer_wakes_.notify_all();
  if (timer_.joinable()) timer_.join();
  for (const auto& runtime : running()) runtime->tell_to_stop();
  for (const auto& runtime : running()) runtime->stop();
  if (hub_ != nullptr) {
    (void)checkpoint();
    publish_ages();
    for (const auto& runtime : running()) runtime->resign();
  }
  if (hub_ != nullptr) hub_->stop_dispatch();
  if (dispatcher_.joinable()) dispatcher_.join();
  http_.reset();
  const std::scoped_lock lock(streams_mutex_);
  streams_.clear();
}

}  // namespace driftd::app
