// min: the least of a window's values.
#include "rules/bounds.h"

namespace driftd::rules {

void register_min(CheckRegistry& registry) {
  registry.add({.name = "min",
                .summary = "The least of a window's values lies between min and max.",
                .applies_to = "number, integer",
                .params = with_bounds_params({}, 1),
                .source = "Great Expectations expect_column_min_to_be_between, Evidently TestColumnValueMin",
                .example = "- {check: min, field: pressure, min: 0.8, max: 1.5}",
                .reasons = with_bounds_reasons({}),
                .notes = "Cells without a number (missing, null, wrong type, NaN, infinity) are left out. "
                         "For bounds on every single value use in_range, which also names the record."},
               statistic_unit({FieldKind::kNumber, FieldKind::kInteger}, [](const stats::FieldSummary& f) { return f.moments.min; }));
}

}  // namespace driftd::rules
