// The reference side of Service: promotions that take effect while streams run.
#include <set>

#include "app/engine/reference_plans.h"
#include "app/run/service.h"
#include "core/log.h"
#include "core/text.h"
#include "stats/reference_name.h"

namespace driftd::app {

namespace {

// Streams that several driftd share take a tag or a version when they start: each would take it at another time while it runs.
std::string how_to_get(const std::string& reference, bool shares) {
  const std::size_t sign = reference.find('@');
  const std::string word = reference.substr(sign + 1);
  std::string how = "build or import it";
  if (!stats::version_number(word)) {
    how = "driftd reference build --name " + reference.substr(0, sign) + " --alias " + word + ", or --tag " + word + ", makes one";
  }
  return how + (shares ? "; a tag or a version is taken when driftd starts" : "; it is taken with the next checkpoint");
}

}  // namespace

Status Service::open_references() {
  telemetry_.series(Metric::kStoreDamaged, {"references"}).set(0);
  auto opened = stats::ReferenceStore::open(config_.service.data_dir + "/references.db");
  if (opened) {
    references_ = std::move(*opened);
    return {};
  }
  if (opened.error().code != ErrorCode::kCorrupt) return opened.error();
  references_damaged(opened.error());
  return {};
}

Result<stats::ReferenceStore*> Service::references() {
  if (references_ != nullptr) return references_.get();
  const std::scoped_lock lock(streams_mutex_);
  return Error{ErrorCode::kCorrupt, references_damage_};
}

// Unlike checkpoints and messages, references cannot be made again by going on: people chose them, and findings name
// them. So nothing takes the place of the file; what can be judged without it is.
void Service::references_damaged(const Error& why) {
  {
    const std::scoped_lock lock(streams_mutex_);
    if (!references_damage_.empty()) return;
    references_damage_ = why.message;
  }
  telemetry_.series(Metric::kStoreDamaged, {"references"}).set(1);
  log::error(
      "references cannot be read; the file stays as it is, and streams whose reference is damaged run without it: checks that need it say "
      "no_verdict (no_reference). Put a backup in its place, or move it away and import or build the references again; then restart driftd",
      {{"file", config_.service.data_dir + "/references.db"}, {"why", why.message}});
}

Result<std::vector<PlanEdition>> Service::plans_of(const StreamConfig& stream) {
  const bool all = config_.service.findings_all;
  const bool shares = shared_ != nullptr && stream.source == "kafka";
  auto plans = plans_for(stream, references_.get(), all);
  if (!stream.reference.empty() && references_ == nullptr) plans = references().error().at("stream " + stream.name);
  const bool damaged = !plans && plans.error().code == ErrorCode::kCorrupt;
  if (damaged) {
    references_damaged(plans.error());
    // Others that share it have the reference, and their windows would wait for this one's.
    if (shares) return plans;
    plans = plans_for(stream, nullptr, all);
  }
  if (!plans) return plans;
  const bool missing = !damaged && !stream.reference.empty() && plans->front().plan->reference == nullptr && plans->size() == 1;
  if (missing) {
    log::warning("the stream has no reference yet; checks that need one say no_verdict, and driftd is not ready",
                 {{"stream", stream.name}, {"reference", stream.reference}, {"why", "nothing is known under that name"}});
    if (!shares) {
      if (const Status s = references_->lacks(stream.name, stream.reference); !s) return s.error().at("stream " + stream.name);
    }
  }
  const std::scoped_lock lock(streams_mutex_);
  without_reference_.erase(stream.name);
  if (damaged) without_reference_[stream.name] = "which cannot be read: " + references_damage_;
  if (missing) without_reference_[stream.name] = "as there is no " + stream.reference + " yet: " + how_to_get(stream.reference, shares);
  return plans;
}

void Service::take_promotions() {
  if (references_ == nullptr) return;
  std::set<std::string> used;
  {
    const std::scoped_lock lock(streams_mutex_);
    for (const StreamConfig& s : config_.streams) used.insert(s.reference);
  }
  for (const std::string& which : used) {
    const std::size_t sign = which.find('@');
    if (sign == std::string::npos) continue;  // streams without a reference
    const auto promotions = references_->promotions(which.substr(0, sign));
    if (!promotions) {
      if (promotions.error().code == ErrorCode::kCorrupt) references_damaged(promotions.error());
      log::warning("promotions cannot be read; tried again with the next checkpoint",
                   {{"reference", which}, {"why", promotions.error().message}});
      continue;
    }
    bool alias = false;
    const auto said = [&](const Status& done) {
      if (done) return;
      if (done.error().code == ErrorCode::kCorrupt) references_damaged(done.error());
      log::error("a reference is not taken; tried again with the next checkpoint", {{"reference", which}, {"why", done.error().message}});
    };
    for (const stats::Promotion& p : *promotions) {
      if (p.alias != which.substr(sign + 1)) continue;
      alias = true;
      if (!p.settled) said(take_promotion(which, p));
    }
    if (!alias) said(take_late(which));
  }
}

Status Service::take_promotion(const std::string& which, const stats::Promotion& promotion) {
  auto reference = references_->get(which.substr(0, which.find('@')), promotion.version);
  if (!reference) return reference.error();
  std::vector<const StreamConfig*> streams;
  for (const StreamConfig& s : config_.streams) {
    if (s.reference == which) streams.push_back(&s);
  }
  const auto from = take_reference(streams, std::make_shared<const stats::Reference>(std::move(*reference)), promotion.valid_from,
                                   [&](Time at) { return references_->settle(promotion.id, at); });
  if (!from) return from.error();
  log::info("reference promoted", {{"reference", which},
                                   {"version", std::to_string(promotion.version)},
                                   {"by", promotion.who},
                                   {"for_windows_from", *from == kNoTime ? "the beginning" : format_time(*from)}});
  return {};
}

// A tag or a version that streams run without.
Status Service::take_late(const std::string& which) {
  const auto lacking = references_->lacking(which);
  if (!lacking) return lacking.error();
  for (const std::string& name : *lacking) {
    const StreamConfig* stream = config_.stream(name);
    if (stream == nullptr || stream->reference != which) continue;
    auto read = references_->resolve(which);
    if (!read) return read.error().code == ErrorCode::kNotFound ? Status() : Status(read.error());
    const auto reference = std::make_shared<const stats::Reference>(std::move(*read));
    const auto from = take_reference({stream}, reference, kNoTime, [&](Time at) { return references_->settle_lack(name, which, at); });
    if (!from) return from.error();
    log::info("the stream has its reference now", {{"stream", name},
                                                   {"reference", which},
                                                   {"version", std::to_string(reference->version)},
                                                   {"for_windows_from", *from == kNoTime ? "the beginning" : format_time(*from)}});
  }
  return {};
}

Result<Time> Service::take_reference(const std::vector<const StreamConfig*>& streams,
                                     const std::shared_ptr<const stats::Reference>& reference, Time from,
                                     const std::function<Status(Time)>& settle) {
  const std::scoped_lock lock(checkpoint_mutex_);
  std::vector<std::shared_ptr<StreamRuntime>> running;
  std::vector<PlanEdition> plans;
  Duration slide = 1;
  {
    const std::scoped_lock streams_lock(streams_mutex_);
    for (const StreamConfig* s : streams) {
      slide = std::max(slide, s->windows.slide);
      const auto it = streams_.find(s->name);
      if (it == streams_.end()) {  // not started yet: only its checkpoint counts
        const auto progress = checkpoints().progress(s->name);
        if (!progress) return progress.error();
        if (progress->max_time != kNoTime) from = std::max({from, progress->closed_until, floor_to(progress->max_time, slide) + slide});
        continue;
      }
      auto plan = make_plan(*s, reference, config_.service.findings_all);
      if (!plan) return plan.error();
      plans.push_back({kNoTime, std::move(*plan)});
      running.push_back(it->second);
    }
  }
  for (const auto& runtime : running) runtime->freeze();
  for (const auto& runtime : running) from = std::max(from, runtime->next_boundary());
  // Streams with longer windows decide, so that all change at one time.
  if (from != kNoTime) from = floor_to(from + slide - 1, slide);
  Status done = settle(from);
  for (std::size_t i = 0; done && i < running.size(); ++i) {
    plans[i].from = from;
    done = running[i]->adopt(plans[i]);
  }
  for (const auto& runtime : running) runtime->thaw();
  if (!done) return done.error();
  for (const auto& runtime : running) {
    publish_reference(runtime->config().name, reference);
    const std::scoped_lock streams_lock(streams_mutex_);
    without_reference_.erase(runtime->config().name);
  }
  return from;
}

void Service::publish_reference(const std::string& stream, const std::shared_ptr<const stats::Reference>& reference) {
  for (const Telemetry::Family& family : telemetry_.snapshot()) {
    if (family.metric != Metric::kReferenceInfo) continue;
    for (const Telemetry::Sample& sample : family.samples) {
      if (!sample.label_values.empty() && sample.label_values[0] == stream) telemetry_.remove(Metric::kReferenceInfo, sample.label_values);
    }
  }
  if (reference == nullptr) return;
  telemetry_.series(Metric::kReferenceInfo, {stream, reference->name, std::to_string(reference->version), reference->hash}).set(1);
}

}  // namespace driftd::app
