#include "rules/bounds_check.h"

#include <cmath>

namespace driftd::rules {

std::vector<ParamSpec> bounds_params(const char* default_min_samples, std::vector<ParamSpec> own) {
  own.push_back({.name = "min", .type = ParamType::kNumber, .sentence = "Least value allowed"});
  own.push_back({.name = "max", .type = ParamType::kNumber, .sentence = "Greatest value allowed"});
  own.push_back({.name = "min_samples",
                 .type = ParamType::kInteger,
                 .sentence = "Windows with fewer values give no verdict",
                 .default_text = default_min_samples,
                 .min = 0,
                 .max = 1e9});
  return own;
}

BoundsCheck::BoundsCheck(const Params& params, const CheckContext& context)
    : min_(params.maybe_number("min")),
      max_(params.maybe_number("max")),
      min_samples_(static_cast<std::uint64_t>(params.integer("min_samples"))),
      field_(context.field < 0 ? 0 : static_cast<std::size_t>(context.field)) {}

Status BoundsCheck::validate(const Params& params) {
  if (!params.has("min") && !params.has("max")) return Error{ErrorCode::kInvalidArgument, "needs min, max or both"};
  if (params.has("min") && params.has("max") && params.number("min") > params.number("max")) {
    return Error{ErrorCode::kInvalidArgument, "min is above max"};
  }
  return {};
}

Judgement BoundsCheck::judge(const stats::Window& window, const stats::Tally&) const {
  const std::uint64_t n = samples(window);
  if (n < min_samples_) return Judgement::none("too_few_samples", n);
  Judgement j;
  j.n = n;
  j.value = statistic(window);
  if (!j.value || !std::isfinite(*j.value)) return Judgement::none("too_few_samples", n);
  const bool low = min_ && *j.value < *min_;
  const bool high = max_ && *j.value > *max_;
  j.threshold = low || !max_ ? min_ : max_;
  if (!low && !high) return j;
  j.verdict = Verdict::kFail;
  j.reason = low ? "too_low" : "too_high";
  return j;
}

}  // namespace driftd::rules
