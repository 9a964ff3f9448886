// null_share: records whose field is missing or null, as a share.
#include "rules/bounds_check.h"

namespace driftd::rules {
namespace {

class NullShare final : public BoundsCheck {
 public:
  using BoundsCheck::BoundsCheck;

 protected:
  std::optional<double> statistic(const stats::Window& window) const override { return static_cast<double>(summary(window).missing + summary(window).null) / static_cast<double>(window.rows); }
  std::uint64_t samples(const stats::Window& window) const override { return window.rows; }
};

}  // namespace

void register_null_share(CheckRegistry& registry) {
  add_bounds_check<NullShare>(registry,
                       {.name = "null_share",
                        .summary = "The share of records without a value lies between bounds",
                        .applies_to = "any field",
                        .params = bounds_params("1"),
                        .source = "missing value share, as in Evidently and NannyML",
                        .example = "{check: null_share, field: temperature, max: 0.05}",
                        .notes = "Missing fields and nulls count; NaN and wrong types do not: see type."},
                       FieldUse::kRequired, {});
}

}  // namespace driftd::rules
