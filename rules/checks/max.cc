// max: the largest of a window's values.
#include "rules/bounds.h"

namespace driftd::rules {

void register_max(CheckRegistry& registry) {
  registry.add({.name = "max",
                .summary = "The largest of a window's values lies between min and max.",
                .applies_to = "number, integer",
                .params = with_bounds_params({}, 1),
                .source = "Great Expectations expect_column_max_to_be_between, Evidently TestColumnValueMax",
                .example = "- {check: max, field: pressure, max: 6.5}",
                .reasons = with_bounds_reasons({}),
                .notes = "Cells without a number (missing, null, wrong type, NaN, infinity) are left out. "
                         "For bounds on every single value use in_range, which also names the record."},
               statistic_unit({FieldKind::kNumber, FieldKind::kInteger}, [](const stats::FieldSummary& f) { return f.moments.max; }));
}

}  // namespace driftd::rules
