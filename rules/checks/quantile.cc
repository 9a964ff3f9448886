// quantile: a quantile of the values in the window.
#include "rules/bounds_check.h"

namespace driftd::rules {
namespace {

class Quantile final : public BoundsCheck {
 public:
  Quantile(const Params& params, const CheckContext& context) : BoundsCheck(params, context), q_(params.number("q")) {}
  Needs needs() const override { return {.quantiles = true}; }

 protected:
  std::optional<double> statistic(const stats::Window& window) const override {
    const stats::LogHistogram* values = summary(window).quantiles;
    return values == nullptr ? std::nullopt : values->quantile(q_);
  }

 private:
  double q_;
};

}  // namespace

void register_quantile(CheckRegistry& registry) {
  add_bounds_check<Quantile>(
      registry,
      {.name = "quantile",
       .summary = "A quantile of the window lies between bounds",
       .applies_to = "number, integer",
       .params = bounds_params("1", {{.name = "q", .type = ParamType::kNumber, .sentence = "Which: 0.5 is the median", .required = true, .min = 0, .max = 1}}),
       .source = "log-linear buckets as in DDSketch (Masson, Rim, Lee, VLDB 2019), integer counters only",
       .example = "{check: quantile, field: latency_ms, q: 0.99, max: 250}",
       .notes = "Nearest rank, with a relative error of at most 0.5 % (magnitudes below 1e-9 count as 0), so that windows merge exactly. Nulls, NaN and wrong types are left out. Memory: up to 86 KiB a segment and field; use `by: [stream]` for fleets."},
      FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger});
}

}  // namespace driftd::rules
