// mean: the mean of a window's values.
#include "rules/bounds.h"

namespace driftd::rules {

void register_mean(CheckRegistry& registry) {
  registry.add({.name = "mean",
                .summary = "The mean of a window's values lies between min and max.",
                .applies_to = "number, integer, flag",
                .params = with_bounds_params({}, 1),
                .source = "Great Expectations expect_column_mean_to_be_between, Evidently TestColumnValueMean",
                .example = "- {check: mean, field: temperature, min: 18, max: 24}",
                .reasons = with_bounds_reasons({}),
                .notes = "Cells without a number (missing, null, wrong type, NaN, infinity) are left out. "
                         "Of a flag it is the share of true. Kept by Welford's method, merged in a fixed "
                         "order. One wild value moves it; quantile with q: 0.5 is the median."},
               statistic_unit({FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag},
                              [](const stats::FieldSummary& f) { return f.moments.mean; }));
}

}  // namespace driftd::rules
