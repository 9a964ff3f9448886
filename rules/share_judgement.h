// How row-level checks judge a window: by the share of its judged rows that failed.
//
// A row that a check cannot judge (a null, the first of a sensor, ...) is in neither count. Cost of
// judging: O(1), and no allocation when the window is well.
#pragma once

#include "rules/check.h"

namespace driftd::rules {

struct ShareRule {
  double max_share = 0;           // of the judged rows, 0 to 1; more fails
  std::uint64_t min_samples = 1;  // judged rows below which there is no verdict
};

// `own` and the parameters max_share and min_samples.
std::vector<ParamSpec> with_share_params(std::vector<ParamSpec> own);
ShareRule read_share(const Params& params);

// `own` and too_few_samples.
std::vector<Reason> with_share_reasons(std::vector<Reason> own);

// Does the value that the check reports of a failed row say something to people?
enum class Measure { kNone, kValue };

// `reason` is the word for too large a share.
Judgement judge_share(const ShareRule& rule, const stats::Window& window, const stats::Tally& tally, const char* reason, Measure measure);

// A row-level check that is judged so; what is left to the unit is on_rows and its state.
class ShareCheck : public Check {
 public:
  bool row_level() const override { return true; }
  FindingKind kind() const override { return kind_; }
  Judgement judge(const stats::Window& window, const stats::Tally& tally) const override {
    return judge_share(rule_, window, tally, reason_, measure_);
  }

 protected:
  ShareCheck(const Params& params, const char* reason, Measure measure, FindingKind kind = FindingKind::kQuality)
      : rule_(read_share(params)), reason_(reason), measure_(measure), kind_(kind) {}

 private:
  ShareRule rule_;
  const char* reason_;
  Measure measure_;
  FindingKind kind_;
};

}  // namespace driftd::rules
