// mean: mean of the values.
#include "rules/bounds_check.h"

namespace driftd::rules {
namespace {

class Mean final : public BoundsCheck {
 public:
  using BoundsCheck::BoundsCheck;

 protected:
  std::optional<double> statistic(const stats::Window& window) const override { return summary(window).moments.mean; }
};

}  // namespace

void register_mean(CheckRegistry& registry) {
  add_bounds_check<Mean>(registry,
                       {.name = "mean",
                        .summary = "The mean of the window lies between bounds",
                        .applies_to = "number, integer, flag",
                        .params = bounds_params("1"),
                        .source = "GX expect_column_mean_to_be_between",
                        .example = "{check: mean, field: temperature, min: 15, max: 35}",
                        .notes = "Over the valid values; nulls, missing fields, NaN, infinities and wrong types are left out. Of a flag: the share of true."},
                       FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag});
}

}  // namespace driftd::rules
