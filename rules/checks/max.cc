// max: greatest value.
#include "rules/bounds_check.h"

namespace driftd::rules {
namespace {

class Max final : public BoundsCheck {
 public:
  using BoundsCheck::BoundsCheck;

 protected:
  std::optional<double> statistic(const stats::Window& window) const override { return summary(window).moments.max; }
};

}  // namespace

void register_max(CheckRegistry& registry) {
  add_bounds_check<Max>(registry,
                       {.name = "max",
                        .summary = "The greatest value of the window lies between bounds",
                        .applies_to = "number, integer, flag",
                        .params = bounds_params("1"),
                        .source = "GX expect_column_max_to_be_between",
                        .example = "{check: max, field: pressure, max: 6.5}",
                        .notes = "Over the valid values; nulls, missing fields, NaN, infinities and wrong types are left out."},
                       FieldUse::kRequired, {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag});
}

}  // namespace driftd::rules
