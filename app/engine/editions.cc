#include "app/engine/editions.h"

#include <algorithm>
#include <cstring>

#include "app/engine/engine_reasons.h"

namespace driftd::app {
namespace {

Result<std::unique_ptr<Editions::Edition>> make_edition(Time from, std::shared_ptr<const StreamPlan> plan) {
  auto checks = make_checks(plan->config, plan->reference.get(), plan->all_findings);
  if (!checks) return checks.error();
  stats::WindowView wide(&plan->wide), narrow(&plan->narrow);
  return std::make_unique<Editions::Edition>(
      Editions::Edition{from, std::move(plan), std::move(*checks), std::move(wide), std::move(narrow)});
}

}  // namespace

Result<Editions> Editions::make(std::shared_ptr<const StreamPlan> plan) {
  auto first = make_edition(kNoTime, std::move(plan));
  if (!first) return first.error();
  Editions out;
  out.editions_.push_back(std::move(*first));
  return out;
}

Status Editions::adopt(const PlanEdition& edition) {
  auto made = make_edition(edition.from, edition.plan);
  if (!made) return made.error();
  while (!editions_.empty() && editions_.back()->from >= edition.from) editions_.pop_back();
  editions_.push_back(std::move(*made));
  if (across_ != nullptr || edition.plan->config.windows.panes() == 1) return {};
  const auto plain = make_plan(edition.plan->config, nullptr, edition.plan->all_findings);
  if (!plain) return plain.error();
  auto across = make_edition(kNoTime, *plain);
  if (!across) return across.error();
  across_ = std::move(*across);
  return {};
}

void Editions::forget_before(Time start) {
  while (editions_.size() > 1 && editions_[1]->from <= start) editions_.erase(editions_.begin());
}

stats::Block without_bins(stats::Block block) {
  block.bins.clear();
  block.sums.clear();
  return block;
}

void judge_across(const Editions::Edition& across, std::size_t level, const stats::Window& window, VerdictObserver* observer,
                  std::vector<Finding>& out) {
  const std::size_t before = out.size();
  judge_window(*across.plan, level, across.checks, window, observer, out);
  for (std::size_t i = before; i < out.size(); ++i) {
    if (out[i].reason == "no_reference") out[i].reason = kReferenceChanged;
  }
}

}  // namespace driftd::app
