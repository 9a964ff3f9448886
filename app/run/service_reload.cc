// Another configuration while driftd runs.
#include <algorithm>

#include "app/run/config_change.h"
#include "app/run/service.h"
#include "core/log.h"
#include "core/text.h"

namespace driftd::app {

Status Service::reload_now() {
  if (path_.empty()) return Error{ErrorCode::kInvalidArgument, "this driftd has no configuration file"};
  Status done = try_reload();
  if (!done) {
    Error error = done.error();
    while (error.message.ends_with('\n')) error.message.pop_back();  // the end of a list of errors
    telemetry_.series(Metric::kReloadOk).set(0);
    log::error("the new configuration is not applied; the old one stays", {{"file", path_}, {"why", error.message}});
    return error;
  }
  telemetry_.series(Metric::kReloadOk).set(1);
  telemetry_.series(Metric::kReloadTime).set(to_seconds(clock_.now()));
  return {};
}

Status Service::try_reload() {
  auto loaded = load_config(path_);
  if (!loaded) return loaded.error();
  // Everything that can fail is tried before anything is touched.
  if (const auto keys = needs_restart(config_.service, loaded->service); !keys.empty()) {
    return Error{ErrorCode::kInvalidArgument, "a restart is needed to change " + join(keys)};
  }
  auto setup = hub_->prepare(loaded->alerts, loaded->service.external_url);
  if (!setup) return setup.error();
  std::vector<const StreamConfig*> changed;
  std::vector<std::string> removed;
  for (const StreamConfig& s : loaded->streams) {
    const StreamConfig* old = config_.stream(s.name);
    if (old == nullptr || old->hash != s.hash || old->from_hash != s.from_hash) changed.push_back(&s);
  }
  for (const StreamConfig& s : config_.streams) {
    if (loaded->stream(s.name) == nullptr) removed.push_back(s.name);
  }
  if (const Status s = change_streams(changed); !s) return s;
  for (const std::string& name : removed) remove_stream(name);
  {
    const std::scoped_lock lock(streams_mutex_);
    config_.streams = loaded->streams;
  }
  config_.service.checkpoint_every = loaded->service.checkpoint_every;
  config_.service.log_level = loaded->service.log_level;
  config_.service.external_url = loaded->service.external_url;
  config_.service.shutdown_grace = shutdown_grace_ = loaded->service.shutdown_grace;
  log::set_level(log_level(config_.service));
  config_.alerts = loaded->alerts;
  for (const std::string& name : removed) hub_->forget(name);  // told by the routes of before
  for (const StreamConfig* s : changed) hub_->configure(*s);
  hub_->apply(std::move(*setup));
  // What was told must not be told again under other ids by a driftd that is killed now.
  if (!changed.empty() || !removed.empty()) (void)checkpoint();
  log::info("configuration applied", {{"changed", std::to_string(changed.size())}, {"removed", std::to_string(removed.size())}});
  return {};
}

// On an Error the streams run as before, those that had changed already from where the change ended.
Status Service::change_streams(const std::vector<const StreamConfig*>& changed) {
  for (const StreamConfig* s : changed) {
    auto plans = plans_of(*s);
    if (!plans) return plans.error();
    // Sources find most of what is wrong when they are made, and the old one still runs.
    const auto made = StreamRuntime::make(runtime_context(), std::move(*plans));
    if (!made) return made.error();
  }
  Status started = stop_to_change(changed);
  for (const StreamConfig* s : changed) {
    if (!started) break;
    if (const auto runs = start_stream(*s); !runs) started = runs.error();
  }
  if (started) return {};
  (void)checkpoint();  // lets go what settle() holds; says and counts itself what fails
  for (const StreamConfig* each : changed) {
    stop_stream(each->name);
    const StreamConfig* old = config_.stream(each->name);
    if (old == nullptr) continue;
    if (const auto again = start_stream(*old); !again) not_started(*old, again.error());
  }
  return started;
}

// An Error: what a stream has judged since the newest checkpoint would be judged again, by its new checks.
Status Service::stop_to_change(const std::vector<const StreamConfig*>& changed) {
  // A gate that is stuck lets no checkpoint through while its stream is there, and the others need one when they stop: those with
  // gates go first. When their servers are away it takes time to leave each of them, so those of a kind are left side by side.
  const auto gated = [this](const StreamConfig* s) {
    const StreamConfig* old = config_.stream(s->name);
    return old != nullptr && old->gate;
  };
  Status saved;
  if (!changed.empty()) settle();  // else what waits for gates that are only behind would keep the last checkpoints
  for (const bool with_gate : {true, false}) {
    std::vector<std::pair<const StreamConfig*, std::shared_ptr<StreamRuntime>>> these;
    for (const StreamConfig* s : changed) {
      if (gated(s) == with_gate) these.emplace_back(s, stream(s->name));
    }
    for (const auto& [s, runtime] : these) {
      if (runtime != nullptr) runtime->tell_to_stop();
    }
    for (const auto& [s, runtime] : these) {
      if (runtime != nullptr) runtime->stop();
      const StreamConfig* old = config_.stream(s->name);
      std::string why;
      if (old != nullptr && old->hash != s->hash) {
        why = runtime != nullptr && !runtime->unsaved().empty() ? runtime->unsaved() : behind_judged(s->name);
        // One that judges what only others read has no partitions whose end would have written a checkpoint.
        if (!why.empty() && runtime != nullptr && runtime->unsaved().empty() && checkpoint()) why = behind_judged(s->name);
      }
      stop_stream(s->name);
      if (why.empty()) continue;
      saved =
          Error{ErrorCode::kUnavailable, "stream " + s->name + " cannot change now, as no checkpoint has all that it has judged (" + why +
                                             "), and what it has not would be judged again, by other checks; reload again when one has it, "
                                             "or restart driftd to have it so"};
    }
  }
  return saved;
}

// Why the stream would go on from before windows that were judged; empty: it does not.
std::string Service::behind_judged(const std::string& name) {
  if (const std::string why = lost_.why_behind(name); !why.empty()) return why;
  const Time judged = hub_->judged_until(name);
  if (judged == kNoTime) return {};
  const auto merger = checkpoints().unit(name, kMergerUnit);
  if (!merger) return merger.error().message;
  const Time stored = *merger ? Merger::complete_until((*merger)->state) : kNoTime;
  if (stored >= judged) return {};
  return "the newest one is of when windows were judged until " + (stored == kNoTime ? "none" : format_time(stored)) + ", not " +
         format_time(judged);
}

void Service::remove_stream(const std::string& name) {
  const auto runtime = stream(name);
  stop_stream(name);
  if (runtime != nullptr) runtime->resign();
  led_.erase(name);
  lost_.forget(name);
  if (const Status s = checkpoints().remove(name); !s)
    log::warning("the state of a removed stream stays", {{"stream", name}, {"why", s.error().message}});
  {
    const std::scoped_lock lock(streams_mutex_);
    why_not_started_.erase(name);
    without_reference_.erase(name);
  }
  rejected(name).publish();
  {
    decltype(rejected_)::node_type gone;  // says goodbye to its topic without the lock
    const std::scoped_lock lock(rejected_mutex_);
    gone = rejected_.extract(name);
  }
  telemetry_.remove_stream(name);
}

}  // namespace driftd::app
