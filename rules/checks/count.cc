// count: records in the window.
#include "rules/bounds_check.h"

namespace driftd::rules {
namespace {

class Count final : public BoundsCheck {
 public:
  using BoundsCheck::BoundsCheck;

 protected:
  std::optional<double> statistic(const stats::Window& window) const override { return static_cast<double>(window.rows); }
  std::uint64_t samples(const stats::Window& window) const override { return window.rows; }
};

}  // namespace

void register_count(CheckRegistry& registry) {
  add_bounds_check<Count>(registry,
                       {.name = "count",
                        .summary = "The number of records in the window lies between bounds",
                        .applies_to = "stream",
                        .params = bounds_params("0"),
                        .source = "row count, as in Deequ's hasSize and Evidently's TestNumberOfRows",
                        .example = "{check: count, min: 50, max: 70}",
                        .notes = "All decoded records of the segment count, also those with nulls; late and rejected ones do not. A stream that falls silent has windows of 0 records; a sensor without a record has no window of its own: see gap."},
                       FieldUse::kNone, {});
}

}  // namespace driftd::rules
