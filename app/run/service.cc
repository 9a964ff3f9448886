#include "app/run/service.h"

#include "app/engine/reference_plans.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include "app/run/service_api.h"
#include "core/log.h"
#include "exporters/api.h"

namespace driftd::app {
namespace {

constexpr std::chrono::seconds kBeat{1};  // see Service::beats()

}  // namespace

Service::Service(Config config, std::string path)
    : config_(std::move(config)), path_(std::move(path)), telemetry_(config_.service.series_cap) {}

Service::~Service() { stop(); }

Status Service::start() {
  const ServiceConfig& service = config_.service;
  auto web = open_web_access(service, &telemetry_);
  if (!web) return web.error();
  std::error_code code;
  std::filesystem::create_directories(service.data_dir, code);
  if (code) return Error{ErrorCode::kIo, "cannot make data_dir " + service.data_dir + ": " + code.message()};
  auto store = CheckpointStore::open(service.data_dir + "/state.db");
  if (!store) return store.error();
  store_ = std::move(*store);
  auto references = stats::ReferenceStore::open(service.data_dir + "/references.db");
  if (!references) return references.error();
  references_ = std::move(*references);
  const auto state = store_->hub();
  if (!state) return state.error();
  const auto saved_at = store_->saved_at();
  checkpointed_at_ = saved_at && *saved_at != 0 ? *saved_at : clock_.now();  // the age of none: since now
  auto hub = FindingHub::make({service.findings_log, service.findings_max_size, service.data_dir + "/outbox.db", service.external_url},
                              config_.alerts, *state, telemetry_, clock_);
  if (!hub) return hub.error();
  hub_ = std::move(*hub);
  telemetry_.series(Metric::kBuildInfo, {DRIFTD_VERSION, __VERSION__}).set(1);
  telemetry_.series(Metric::kReloadOk).set(1);
  telemetry_.series(Metric::kReloadTime).set(to_seconds(clock_.now()));
  telemetry_.series(Metric::kCheckpointAge).set(0);
  telemetry_.series(Metric::kCheckpointBytes).set(0);
  telemetry_.series(Metric::kCheckpointFailures);
  telemetry_.series(Metric::kOutboxPending);
  if (const Status s = start_http(std::move(*web)); !s) return s;
  take_promotions();
  for (const StreamConfig& stream : config_.streams) {
    auto started = start_stream(stream);
    if (!started) return started.error();
  }
  publish_ages();
  dispatcher_ = std::thread([this] { hub_->dispatch(); });
  timer_ = std::thread([this] { timer_loop(); });
  log::info("driftd runs", {{"version", DRIFTD_VERSION}, {"listen", service.listen}, {"data_dir", service.data_dir},
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

Result<std::vector<PlanEdition>> Service::plans_of(const StreamConfig& stream) {
  std::vector<stats::ReferenceEdition> references;
  if (!stream.reference.empty()) {
    auto history = references_->history(stream.reference, /*settled_only=*/true);
    if (history) {
      references = std::move(*history);
    } else if (history.error().code != ErrorCode::kNotFound) {
      return history.error().at("stream " + stream.name);
    }
    if (references.empty()) {
      log::warning("the stream has no reference yet; checks that need one say no_verdict",
                   {{"stream", stream.name}, {"reference", stream.reference}, {"why", history ? "nothing was promoted" : history.error().message}});
    }
  }
  return make_plans(stream, references, config_.service.findings_all);
}

RuntimeContext Service::runtime_context() {
  RuntimeContext context;
  context.service = &config_.service;
  context.telemetry = &telemetry_;
  context.clock = &clock_;
  context.store = store_.get();
  context.on_window = [this](ClosedWindow closed) { hub_->take(std::move(closed)); };
  context.checkpoint_now = [this] { return checkpoint(); };
  context.on_reject = [this](const std::string& stream, std::uint32_t partition, const RawRecord& record, RejectReason reason,
                             std::string_view detail) {
    rejected(stream).keep(partition, record, reason, detail);
  };
  return context;
}

RejectKeeper& Service::rejected(const std::string& stream) {
  const std::scoped_lock lock(rejected_mutex_);
  std::unique_ptr<RejectKeeper>& r = rejected_[stream];
  if (r == nullptr) {
    ingest::QuarantineOptions options;
    options.folder = config_.service.data_dir + "/quarantine/" + stream;
    options.stream = stream;
    options.cap = config_.service.quarantine_cap;
    r = std::make_unique<RejectKeeper>(options, clock_, telemetry_);
  }
  return *r;
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
  return out;
}

std::vector<std::string> Service::not_ready() const {
  std::vector<std::string> reasons;
  for (const StreamStatus& s : stream_status()) {
    if (!s.ready) reasons.push_back("stream " + s.name + ": " + s.detail);
  }
  const std::scoped_lock lock(streams_mutex_);
  for (const StreamConfig& s : config_.streams) {
    if (streams_.count(s.name) == 0) reasons.push_back("stream " + s.name + ": not started");
  }
  return reasons;
}

std::vector<std::shared_ptr<StreamRuntime>> Service::running() const {
  const std::scoped_lock lock(streams_mutex_);
  std::vector<std::shared_ptr<StreamRuntime>> all;
  for (const auto& [name, runtime] : streams_) all.push_back(runtime);
  return all;
}

bool Service::checkpoint() {
  const std::scoped_lock lock(checkpoint_mutex_);
  const auto all = running();
  for (const auto& runtime : all) runtime->freeze();
  Status forwarded;
  for (const auto& runtime : all) {
    if (forwarded) forwarded = runtime->forward();
  }
  Checkpoint point;
  point.at = clock_.now();
  for (const auto& runtime : all) runtime->collect(point);
  ByteWriter hub;
  hub_->save(hub);
  point.hub = hub.take();
  const auto written = forwarded ? store_->put(point) : Result<std::uint64_t>(forwarded.error());
  if (written) {
    for (const auto& runtime : all) runtime->committed();
    checkpointed_at_ = point.at;
    telemetry_.series(Metric::kCheckpointBytes).set(static_cast<double>(*written));
    if (!checkpoint_trouble_.empty()) log::info("checkpoints are written again");
    checkpoint_trouble_.clear();
  } else {
    telemetry_.series(Metric::kCheckpointFailures).add();
    if (checkpoint_trouble_.empty()) {
      log::error("a checkpoint could not be written; driftd goes on and tries again", {{"why", written.error().message}});
    }
    checkpoint_trouble_ = written.error().message;
  }
  for (const auto& runtime : all) runtime->thaw();
  return written.ok();
}

void Service::timer_loop() {
  using Clock = std::chrono::steady_clock;
  const std::chrono::nanoseconds every(config_.service.checkpoint_every);
  Clock::time_point next = Clock::now() + every;
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
    if (must_reload) reloaded = reload_now();
    if (woken || due) take_promotions();
    restart_failed_streams();
    telemetry_.series(Metric::kCheckpointAge).set(to_seconds(std::max<Duration>(clock_.now() - checkpointed_at_, 0)));
    if (due) {
      for (const auto& runtime : running()) runtime->settle();
      checkpoint();
      publish_ages();
      next = Clock::now() + every;
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

Status Service::reload() {
  std::unique_lock lock(timer_mutex_);
  const std::uint64_t mine = ++reloads_wanted_;
  timer_wakes_.notify_all();
  timer_wakes_.wait(lock, [&] { return stopping_ || reloads_done_ >= mine; });
  if (reloads_done_ < mine) return Error{ErrorCode::kUnavailable, "driftd is stopping"};
  return reloaded_;
}

void Service::publish_ages() {
  const Time now = clock_.now();
  const std::scoped_lock lock(streams_mutex_, rejected_mutex_);
  for (const auto& [name, runtime] : streams_) {
    const auto reference = runtime->reference();
    if (reference != nullptr) {
      telemetry_.series(Metric::kReferenceAge, {name, reference->name}).set(to_seconds(now - reference->provenance.created_at));
    }
  }
  for (const auto& [name, r] : rejected_) r->publish();
}

Status Service::reload_now() {
  const auto failed = [this](const Error& error) -> Status {
    telemetry_.series(Metric::kReloadOk).set(0);
    log::error("the new configuration is not applied; the old one stays", {{"file", path_}, {"why", error.message}});
    return error;
  };
  auto loaded = load_config(path_);
  if (!loaded) return failed(loaded.error());
  // Everything that can fail is tried before anything is touched.
  std::map<std::string, const StreamConfig*> changed;
  for (const StreamConfig& s : loaded->streams) {
    const StreamConfig* old = config_.stream(s.name);
    if (old != nullptr && old->hash == s.hash && old->from_hash == s.from_hash) continue;
    const auto plans = plans_of(s);
    if (!plans) return failed(plans.error());
    changed[s.name] = &s;
  }
  std::vector<std::string> removed;
  for (const StreamConfig& s : config_.streams) {
    if (loaded->stream(s.name) == nullptr) removed.push_back(s.name);
  }
  for (const std::string& name : removed) {
    stop_stream(name);
    if (const Status s = store_->remove(name); !s) log::warning("the state of a removed stream stays", {{"stream", name}, {"why", s.error().message}});
    hub_->forget(name);
    rejected(name).publish();
    decltype(rejected_)::node_type gone;  // says goodbye to its topic without the lock
    const std::scoped_lock lock(rejected_mutex_);
    gone = rejected_.extract(name);
  }
  for (const auto& [name, s] : changed) {
    stop_stream(name);
    if (const auto started = start_stream(*s); !started) {
      log::error("a changed stream could not be started", {{"stream", name}, {"why", started.error().message}});
    }
  }
  {
    const std::scoped_lock lock(streams_mutex_);
    config_.streams = loaded->streams;
  }
  telemetry_.series(Metric::kReloadOk).set(1);
  telemetry_.series(Metric::kReloadTime).set(to_seconds(clock_.now()));
  log::info("configuration applied", {{"changed", std::to_string(changed.size())}, {"removed", std::to_string(removed.size())}});
  return {};
}

void Service::stop() {
  {
    const std::scoped_lock lock(timer_mutex_);
    if (stopping_) return;
    stopping_ = true;
  }
  timer_wakes_.notify_all();
  if (timer_.joinable()) timer_.join();
  for (const auto& runtime : running()) runtime->stop();
  if (store_ != nullptr && hub_ != nullptr) {
    checkpoint();
    publish_ages();
  }
  if (hub_ != nullptr) hub_->stop_dispatch();
  if (dispatcher_.joinable()) dispatcher_.join();
  http_.reset();
  const std::scoped_lock lock(streams_mutex_);
  streams_.clear();
}

}  // namespace driftd::app
