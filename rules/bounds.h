// How window-level checks judge: is one number of the window within bounds?
//
// Cost of judging: O(1), and no allocation when the window is well.
#pragma once

#include "rules/check.h"

namespace driftd::rules {

struct Bounds {
  std::optional<double> min;  // inclusive
  std::optional<double> max;  // inclusive
  std::uint64_t min_samples = 1;
};

// `own` and the parameters min, max and, where a least number makes sense (not 0), min_samples.
std::vector<ParamSpec> with_bounds_params(std::vector<ParamSpec> own, unsigned min_samples);

// kInvalidArgument when neither bound is given or min is above max.
Result<Bounds> read_bounds(const Params& params);

// `own`, below_min, above_max and, with `samples`, too_few_samples and overflow.
std::vector<Reason> with_bounds_reasons(std::vector<Reason> own, bool samples = true);

// `value` of `n` samples. A value that is no finite number (sums of huge values) is no verdict:
// overflow. The threshold is the broken bound, or the nearer one when none is.
Judgement judge_bounds(const Bounds& bounds, double value, std::uint64_t n);

// A check whose number comes from one field's valid cells: a unit that is only its descriptor and
// this function, which is asked for windows with at least one valid cell.
using Statistic = double (*)(const stats::FieldSummary&);
CheckUnit statistic_unit(std::vector<FieldKind> kinds, Statistic statistic);

}  // namespace driftd::rules
