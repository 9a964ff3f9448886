// The reference side of Service: promotions that take effect while streams run.
#include <set>

#include "app/engine/reference_plans.h"
#include "app/run/service.h"
#include "core/log.h"
#include "core/text.h"

namespace driftd::app {

void Service::take_promotions() {
  std::set<std::string> used;
  {
    const std::scoped_lock lock(streams_mutex_);
    for (const StreamConfig& s : config_.streams) used.insert(s.reference);
  }
  for (const std::string& which : used) {
    const std::size_t sign = which.find('@');
    if (sign == std::string::npos) continue;
    const auto promotions = references_->promotions(which.substr(0, sign));
    if (!promotions) {
      log::warning("promotions cannot be read; tried again with the next checkpoint",
                   {{"reference", which}, {"why", promotions.error().message}});
      continue;
    }
    for (const stats::Promotion& p : *promotions) {
      if (p.settled || p.alias != which.substr(sign + 1)) continue;
      if (const Status s = take_promotion(which, p); !s) {
        log::error("a promotion is not taken; tried again with the next checkpoint", {{"reference", which}, {"why", s.error().message}});
      }
    }
  }
}

Status Service::take_promotion(const std::string& which, const stats::Promotion& promotion) {
  auto reference = references_->get(which.substr(0, which.find('@')), promotion.version);
  if (!reference) return reference.error();
  const auto shared = std::make_shared<const stats::Reference>(std::move(*reference));
  const std::scoped_lock lock(checkpoint_mutex_);
  std::vector<std::shared_ptr<StreamRuntime>> running;
  std::vector<PlanEdition> plans;
  Time from = promotion.valid_from;
  Duration slide = 1;
  {
    const std::scoped_lock streams_lock(streams_mutex_);
    for (const StreamConfig& s : config_.streams) {
      if (s.reference != which) continue;
      slide = std::max(slide, s.windows.slide);
      const auto it = streams_.find(s.name);
      if (it == streams_.end()) {  // not started yet: only its checkpoint counts
        const auto progress = checkpoints().progress(s.name);
        if (!progress) return progress.error();
        if (progress->max_time != kNoTime) from = std::max({from, progress->closed_until, floor_to(progress->max_time, slide) + slide});
        continue;
      }
      auto plan = make_plan(s, shared, config_.service.findings_all);
      if (!plan) return plan.error();
      plans.push_back({kNoTime, std::move(*plan)});
      running.push_back(it->second);
    }
  }
  for (const auto& runtime : running) runtime->freeze();
  for (const auto& runtime : running) from = std::max(from, runtime->next_boundary());
  // Streams with longer windows decide, so that all change at one time.
  if (from != kNoTime) from = floor_to(from + slide - 1, slide);
  Status done = references_->settle(promotion.id, from);
  for (std::size_t i = 0; done && i < running.size(); ++i) {
    plans[i].from = from;
    done = running[i]->adopt(plans[i]);
  }
  for (const auto& runtime : running) runtime->thaw();
  if (!done) return done;
  for (const auto& runtime : running) publish_reference(runtime->config().name, shared);
  log::info("reference promoted", {{"reference", which},
                                   {"version", std::to_string(promotion.version)},
                                   {"by", promotion.who},
                                   {"for_windows_from", from == kNoTime ? "the beginning" : format_time(from)}});
  return {};
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
