// min: least value.
#include "rules/bounds_check.h"

namespace driftd::rules {
namespace {

class Min final : public BoundsCheck {
 public:
  using BoundsCheck::BoundsCheck;

 protected:
  std::optional<double> statistic(const stats::Window& window) const override { return summary(window).moments.min; }
};

}  // namespace

void register_min(CheckRegistry& registry) {
  add_bounds_check<Min>(registry,
                       {.name = "min",
                        .summary = "The least value of the window lies between bounds",
                        .applies_to = "number, integer, flag",
                        .params = bounds_params("1"),
                        .source = "GX expect_column_min_to_be_between",
                        .example = "{check: min, field: pressure, min: 1.0}",
                        .notes = "Over the valid values; nulls, missing fields, NaN, infinities and wrong types are left out."},
                       FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag});
}

}  // namespace driftd::rules
