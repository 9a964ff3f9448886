// BoundsCheck: the common shape of window-level checks that hold one statistic between bounds.
#pragma once

#include "rules/check.h"

namespace driftd::rules {

// min, max and min_samples, for the parameter tables.
std::vector<ParamSpec> bounds_params(const char* default_min_samples, std::vector<ParamSpec> own = {});

class BoundsCheck : public Check {
 public:
  BoundsCheck(const Params& params, const CheckContext& context);
  // An Error when neither bound is given or min is above max.
  static Status validate(const Params& params);

  Judgement judge(const stats::Window& window, const stats::Tally&) const override;

 protected:
  // The statistic; nullopt: there is none (no values).
  virtual std::optional<double> statistic(const stats::Window& window) const = 0;
  // Values it rests on, compared with min_samples.
  virtual std::uint64_t samples(const stats::Window& window) const { return summary(window).moments.n; }

  const stats::FieldSummary& summary(const stats::Window& window) const { return window.fields[field_]; }

 private:
  std::optional<double> min_, max_;
  std::uint64_t min_samples_;
  std::size_t field_;
};

template <class C>
void add_bounds_check(CheckRegistry& registry, Descriptor descriptor, FieldUse use, std::vector<FieldKind> kinds) {
  if (descriptor.reasons.empty()) {
    descriptor.reasons = {{"too_low", "the statistic is below min"},
                          {"too_high", "the statistic is above max"},
                          {"too_few_samples", "the window has fewer than min_samples values"}};
  }
  registry.add(std::move(descriptor),
               {use, std::move(kinds), [](const Params& params, const CheckContext& context) -> Result<std::unique_ptr<Check>> {
                  if (const Status s = BoundsCheck::validate(params); !s) return s.error();
                  return std::unique_ptr<Check>(std::make_unique<C>(params, context));
                }});
}

}  // namespace driftd::rules
