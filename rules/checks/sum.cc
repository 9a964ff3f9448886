// sum: the sum of a window's values.
#include "rules/bounds.h"

namespace driftd::rules {

void register_sum(CheckRegistry& registry) {
  registry.add({.name = "sum",
                .summary = "The sum of a window's values lies between min and max.",
                .applies_to = "number, integer, flag",
                .params = with_bounds_params({}, 1),
                .source = "Great Expectations expect_column_sum_to_be_between, Evidently SumValue",
                .example = "- {check: sum, field: rain, max: 50}",
                .reasons = with_bounds_reasons({}),
                .notes = "Cells without a number (missing, null, wrong type, NaN, infinity) are left out, "
                         "so a window with gaps has a smaller sum; judge count as well. Made from mean "
                         "and count: the last digits may differ from adding one by one."},
               statistic_unit({FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag},
                              [](const stats::FieldSummary& f) { return f.moments.sum(); }));
}

}  // namespace driftd::rules
