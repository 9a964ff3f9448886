// Editions: which reference holds for which windows. Promoting a version starts a new edition at an
// event time; windows that start from then on are counted in its bins and judged against it, those
// before keep theirs. A sliding window that starts before and ends after has counts in the bins of
// both, so nothing that needs the reference can judge it: no_verdict, reference_changed.
//
// The configuration of a stream is the same in all its editions. Thread-safety: none. Cost: at() is
// a comparison while there is one edition, which is nearly always.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "app/engine/judge.h"
#include "app/engine/plan.h"

namespace driftd::app {

// One entry of a stream's history of references: holds for windows that start at or after `from`.
struct PlanEdition {
  Time from = kNoTime;
  std::shared_ptr<const StreamPlan> plan;
};

class Editions {
 public:
  struct Edition {
    Time from;
    std::shared_ptr<const StreamPlan> plan;
    CheckSet checks;
    stats::WindowView wide, narrow;
    std::string hash() const { return plan->reference == nullptr ? "" : plan->reference->hash; }
  };

  static Result<Editions> make(std::shared_ptr<const StreamPlan> plan);

  // Precondition: no pane starts at `from` or later yet. An edition from the same time on, or later,
  // is replaced.
  Status adopt(const PlanEdition& edition);

  bool single() const { return editions_.size() == 1; }
  Edition& at(Time start) {
    for (std::size_t i = editions_.size(); i-- > 1;) {
      if (editions_[i]->from <= start) return *editions_[i];
    }
    return *editions_.front();
  }
  // Of windows that panes of several editions share; judge with judge_across().
  Edition& across() { return *across_; }
  // Panes that start before `start` are gone, and will not come.
  void forget_before(Time start);

 private:
  std::vector<std::unique_ptr<Edition>> editions_;  // by `from`; never empty
  std::unique_ptr<Edition> across_;                 // null while there was one edition only
};

// The block without what only makes sense in the bins of one reference.
stats::Block without_bins(stats::Block block);

// judge_window with editions.across(): verdicts for want of a reference say that it changed.
void judge_across(const Editions::Edition& across, std::size_t level, const stats::Window& window, VerdictObserver* observer,
                  std::vector<Finding>& out);

}  // namespace driftd::app
