#include "rules/bounds.h"

#include <cmath>

#include "core/text.h"

namespace driftd::rules {
namespace {

class StatisticCheck final : public Check {
 public:
  StatisticCheck(const Bounds& bounds, int field, Statistic statistic)
      : bounds_(bounds), field_(static_cast<std::size_t>(field)), statistic_(statistic) {}

  Judgement judge(const stats::Window& window, const stats::Tally&) const override {
    const stats::FieldSummary& summary = window.fields[field_];
    return judge_bounds(bounds_, summary.valid == 0 ? 0 : statistic_(summary), summary.valid);
  }

 private:
  Bounds bounds_;
  std::size_t field_;
  Statistic statistic_;
};

double nearer(const Bounds& bounds, double value) {
  if (!bounds.max) return *bounds.min;
  if (!bounds.min) return *bounds.max;
  return value - *bounds.min < *bounds.max - value ? *bounds.min : *bounds.max;
}

}  // namespace

std::vector<ParamSpec> with_bounds_params(std::vector<ParamSpec> own, unsigned min_samples) {
  own.push_back({.name = "min", .type = ParamType::kNumber, .sentence = "Least value allowed, inclusive; min, max or both must be given"});
  own.push_back({.name = "max", .type = ParamType::kNumber, .sentence = "Largest value allowed, inclusive"});
  if (min_samples == 0) return own;
  own.push_back({.name = "min_samples",
                 .type = ParamType::kInteger,
                 .sentence = "Valid values that a window needs for a verdict",
                 .default_text = std::to_string(min_samples),
                 .min = min_samples});
  return own;
}

Result<Bounds> read_bounds(const Params& params) {
  Bounds bounds{params.maybe_number("min"), params.maybe_number("max"), static_cast<std::uint64_t>(params.integer("min_samples"))};
  if (!bounds.min && !bounds.max) {
    return Error{ErrorCode::kInvalidArgument, "give 'min', 'max' or both"};
  }
  if (bounds.min && bounds.max && *bounds.min > *bounds.max) {
    return Error{ErrorCode::kInvalidArgument, "'min' " + format_number(*bounds.min) + " is above 'max' " + format_number(*bounds.max)};
  }
  return bounds;
}

std::vector<Reason> with_bounds_reasons(std::vector<Reason> own, bool samples) {
  own.push_back({"below_min", "the value is below min"});
  own.push_back({"above_max", "the value is above max"});
  if (!samples) return own;
  own.push_back({"too_few_samples", "the window has fewer valid values than min_samples"});
  own.push_back({"overflow", "the values are so large that the result is no finite number"});
  return own;
}

Judgement judge_bounds(const Bounds& bounds, double value, std::uint64_t n) {
  if (n < bounds.min_samples) return Judgement::none("too_few_samples", n);
  if (!std::isfinite(value)) return Judgement::none("overflow", n);
  Judgement j;
  j.value = value;
  j.n = n;
  if (bounds.min && value < *bounds.min) {
    j.verdict = Verdict::kFail;
    j.reason = "below_min";
    j.threshold = bounds.min;
  } else if (bounds.max && value > *bounds.max) {
    j.verdict = Verdict::kFail;
    j.reason = "above_max";
    j.threshold = bounds.max;
  } else {
    j.threshold = nearer(bounds, value);
  }
  return j;
}

CheckUnit statistic_unit(std::vector<FieldKind> kinds, Statistic statistic) {
  return {.field_use = FieldUse::kRequired,
          .kinds = std::move(kinds),
          .make = [statistic](const Params& params, const CheckContext& context) -> Result<std::unique_ptr<Check>> {
            const auto bounds = read_bounds(params);
            if (!bounds) return bounds.error();
            return std::unique_ptr<Check>(std::make_unique<StatisticCheck>(*bounds, context.field, statistic));
          }};
}

}  // namespace driftd::rules
