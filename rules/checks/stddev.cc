// stddev: the standard deviation of a window's values.
#include <cmath>

#include "rules/bounds.h"

namespace driftd::rules {

void register_stddev(CheckRegistry& registry) {
  registry.add({.name = "stddev",
                .summary = "The standard deviation of a window's values lies between min and max.",
                .applies_to = "number, integer",
                .params = with_bounds_params({}, 2),
                .source = "Great Expectations expect_column_stdev_to_be_between, Evidently TestColumnValueStd",
                .example = "- {check: stddev, field: vibration, min: 0.01, max: 2}",
                .reasons = with_bounds_reasons({}),
                .notes = "With n - 1 (the sample's; numpy's and Evidently's default is n). Cells without "
                         "a number (missing, null, wrong type, NaN, infinity) are left out. In a segment "
                         "of several sensors it also holds the difference between them. A lower bound "
                         "above 0 finds windows in which nothing moves; stuck_value finds single sensors."},
               statistic_unit({FieldKind::kNumber, FieldKind::kInteger}, [](const stats::FieldSummary& f) {
                 // stddev() of overflown moments would be 0, as if nothing moved.
                 return std::isfinite(f.moments.m2) ? f.moments.stddev() : f.moments.m2;
               }));
}

}  // namespace driftd::rules
