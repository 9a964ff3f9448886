// The judgement that all row-level checks share: which part of the rows that could be judged failed?
#pragma once

#include "rules/check.h"

namespace driftd::rules {

// max_share and min_samples, for the parameter tables of row-level checks.
std::vector<ParamSpec> share_params(std::vector<ParamSpec> own = {});
// The reasons every row-level check can give, after its own.
std::vector<Reason> share_reasons(std::vector<Reason> own);

struct ShareRule {
  double max_share = 0;
  std::uint64_t min_samples = 1;
  explicit ShareRule(const Params& params);

  // `judged` rows of which tally.failed failed. Fails with `reason` when the share is above max_share;
  // no_verdict too_few_samples below min_samples. Allocates only when it is not ok.
  Judgement judge(const stats::Tally& tally, std::uint64_t judged, const char* reason) const;
};

}  // namespace driftd::rules
