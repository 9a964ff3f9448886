// quantile: a quantile of a window's values, from integer counters with a relative error of 0.5 %.
#include <algorithm>

#include "rules/bounds.h"

namespace driftd::rules {
namespace {

class Quantile final : public Check {
 public:
  Quantile(const Bounds& bounds, int field, double q) : bounds_(bounds), field_(static_cast<std::size_t>(field)), q_(q) {}

  Needs needs() const override { return {.quantiles = true}; }

  Judgement judge(const stats::Window& window, const stats::Tally&) const override {
    const stats::LogHistogram* histogram = window.fields[field_].quantiles;
    const std::uint64_t n = histogram == nullptr ? 0 : histogram->n();
    if (n == 0) return judge_bounds(bounds_, 0, 0);
    double value = histogram->quantile(q_).value_or(0);
    // A bucket reaches beyond the values in it; this makes constants and the ends exact.
    const stats::Moments& seen = window.fields[field_].moments;
    if (q_ == 0) value = seen.min;
    if (q_ == 1) value = seen.max;
    return judge_bounds(bounds_, std::clamp(value, seen.min, seen.max), n);
  }

 private:
  Bounds bounds_;
  std::size_t field_;
  double q_;
};

Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
  const auto bounds = read_bounds(params);
  if (!bounds) return bounds.error();
  return std::unique_ptr<Check>(std::make_unique<Quantile>(*bounds, context.field, params.number("q")));
}

}  // namespace

void register_quantile(CheckRegistry& registry) {
  registry.add({.name = "quantile",
                .summary = "A quantile of a window's values lies between min and max.",
                .applies_to = "number, integer",
                .params = with_bounds_params({{.name = "q",
                                               .type = ParamType::kNumber,
                                               .sentence = "Which quantile, 0 to 1; 0.5 is the median",
                                               .required = true,
                                               .min = 0,
                                               .max = 1}},
                                             1),
                .source = "DDSketch's logarithmic buckets (Masson, Rim, Lee, VLDB 2019); Great Expectations "
                          "expect_column_quantile_values_to_be_between",
                .example = "- {check: quantile, field: latency, q: 0.99, max: 250}",
                .reasons = with_bounds_reasons({}),
                .notes = "Nearest rank, with a relative error of at most 0.5 % of the value; magnitudes below "
                         "1e-9 count as 0, above 1e15 as 1e15. Never outside the window's least and greatest value, and those exactly "
                         "for q 0 and 1. So leave 0.5 % of room in the bounds. Cells "
                         "without a number (missing, null, wrong type, NaN, infinity) are left out. Windows "
                         "of every segment then carry about 2 KiB a decade of values of this field, which is "
                         "much for segments by sensor: restrict them with by."},
               {.field_use = FieldUse::kRequired, .kinds = {FieldKind::kNumber, FieldKind::kInteger}, .make = make});
}

}  // namespace driftd::rules
