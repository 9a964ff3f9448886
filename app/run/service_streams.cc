// The streams of a Service: started, stopped, and started anew when their source has failed.
#include <algorithm>
#include <random>

#include "app/run/service.h"
#include "core/clock.h"
#include "core/log.h"

namespace driftd::app {
namespace {

// A source that failed for good will mostly do so again soon, so the wait doubles.
constexpr Duration kFirstRestart = 5 * kSecond;
constexpr Duration kLastRestart = 600 * kSecond;

}  // namespace

Result<std::shared_ptr<StreamRuntime>> Service::start_stream(const StreamConfig& stream) {
  if (const Status s = rejected(stream.name).send_to(stream.quarantine_topic); !s) return s.error();
  auto plans = plans_of(stream);
  if (!plans) return plans.error();
  publish_reference(stream.name, plans->back().plan->reference);
  auto made = StreamRuntime::make(runtime_context(), std::move(*plans));
  if (!made) return made.error();
  std::shared_ptr<StreamRuntime> runtime = std::move(*made);
  // No checkpoint may see a stream that has not taken up its state yet: it would put an empty one in its place.
  const std::scoped_lock checkpoint_lock(checkpoint_mutex_);
  if (const Status s = runtime->start(); !s) return s.error();
  const std::scoped_lock lock(streams_mutex_);
  streams_[stream.name] = runtime;
  why_not_started_.erase(stream.name);
  return runtime;
}

void Service::not_started(const StreamConfig& stream, const Error& why) {
  telemetry_.series(Metric::kSourceUp, {stream.name, stream.source}).set(0);
  // Whoever shows it names the stream.
  const std::string named = "stream " + stream.name + ": ";
  const std::string reason = why.message.starts_with(named) ? why.message.substr(named.size()) : why.message;
  const std::scoped_lock lock(streams_mutex_);
  std::string& said = why_not_started_[stream.name];
  if (said == reason) return;
  said = reason;
  log::error("a stream could not be started; it is tried again and again", {{"stream", stream.name}, {"why", reason}});
}

void Service::stop_stream(const std::string& name) {
  const std::shared_ptr<StreamRuntime> runtime = stream(name);
  if (runtime != nullptr) runtime->stop();
  const std::scoped_lock lock(checkpoint_mutex_, streams_mutex_);
  streams_.erase(name);
}

void Service::restart_failed_streams() {
  const Duration now = monotonic_now();
  for (const StreamConfig& config : config_.streams) {
    const std::shared_ptr<StreamRuntime> runtime = stream(config.name);
    const std::string why = runtime == nullptr ? "" : runtime->failure();
    if (runtime != nullptr && why.empty()) continue;
    Restart& restart = restarts_[config.name];
    if (!restart.planned) {
      restart.planned = true;
      const bool ran_well = now - restart.at > 2 * kLastRestart;
      if (restart.wait == 0 || ran_well) restart.wait = kFirstRestart;
      // Two replicas that push each other out must not do it in step.
      restart.at = now + std::uniform_int_distribution<Duration>(restart.wait, restart.wait * 3 / 2)(random_);
      restart.wait = std::min(restart.wait * 2, kLastRestart);
      if (runtime != nullptr)
        log::warning("a stream will be started anew from its newest checkpoint",
                     {{"stream", config.name}, {"in", format_duration((restart.at - now) / kSecond * kSecond)}, {"why", why}});
    }
    if (now < restart.at) continue;
    restart.planned = false;
    telemetry_.series(Metric::kStreamRestarts, {config.name}).add();
    stop_stream(config.name);
    if (const auto started = start_stream(config); !started) {
      not_started(config, started.error());
    } else if (runtime == nullptr) {
      log::info("a stream could be started", {{"stream", config.name}});
    }
  }
}

}  // namespace driftd::app
