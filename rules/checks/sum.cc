// sum: sum of the values.
#include "rules/bounds_check.h"

namespace driftd::rules {
namespace {

class Sum final : public BoundsCheck {
 public:
  using BoundsCheck::BoundsCheck;

 protected:
  std::optional<double> statistic(const stats::Window& window) const override { return summary(window).moments.sum(); }
};

}  // namespace

void register_sum(CheckRegistry& registry) {
  add_bounds_check<Sum>(registry,
                       {.name = "sum",
                        .summary = "The sum of the window lies between bounds",
                        .applies_to = "number, integer, flag",
                        .params = bounds_params("1"),
                        .source = "GX expect_column_sum_to_be_between",
                        .example = "{check: sum, field: litres, min: 100}",
                        .notes = "Mean times count. Over the valid values; nulls, missing fields, NaN, infinities and wrong types are left out."},
                       FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag});
}

}  // namespace driftd::rules
