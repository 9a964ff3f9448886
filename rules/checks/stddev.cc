// stddev: sample standard deviation (n - 1) of the values.
#include "rules/bounds_check.h"

namespace driftd::rules {
namespace {

class Stddev final : public BoundsCheck {
 public:
  using BoundsCheck::BoundsCheck;

 protected:
  std::optional<double> statistic(const stats::Window& window) const override { return summary(window).moments.stddev(); }
};

}  // namespace

void register_stddev(CheckRegistry& registry) {
  add_bounds_check<Stddev>(registry,
                       {.name = "stddev",
                        .summary = "The standard deviation of the window lies between bounds",
                        .applies_to = "number, integer, flag",
                        .params = bounds_params("2"),
                        .source = "GX expect_column_stdev_to_be_between",
                        .example = "{check: stddev, field: vibration, min: 0.01}",
                        .notes = "With n - 1. Over the valid values; nulls, missing fields, NaN, infinities and wrong types are left out."},
                       FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag});
}

}  // namespace driftd::rules
