// count: the number of records in a window.
#include "rules/bounds.h"

namespace driftd::rules {
namespace {

class Count final : public Check {
 public:
  explicit Count(const Bounds& bounds) : bounds_(bounds) {}

  Judgement judge(const stats::Window& window, const stats::Tally&) const override {
    return judge_bounds(bounds_, static_cast<double>(window.rows), window.rows);
  }

 private:
  Bounds bounds_;
};

Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext&) {
  const auto bounds = read_bounds(params);
  if (!bounds) return bounds.error();
  return std::unique_ptr<Check>(std::make_unique<Count>(*bounds));
}

}  // namespace

void register_count(CheckRegistry& registry) {
  registry.add({.name = "count",
                .summary = "The number of records in a window lies between min and max.",
                .applies_to = "stream",
                .params = with_bounds_params({}, 0),
                .source = "the usual row-count test (Great Expectations "
                          "expect_table_row_count_to_be_between, TFDV DATASET_LOW/HIGH_NUM_EXAMPLES)",
                .example = "- {check: count, min: 280, max: 320}",
                .reasons = with_bounds_reasons({}, false),
                .notes = "Counts every record that became a row, whatever its fields hold; null and NaN "
                         "count. Rejected and late records do not. The stream is judged in every window, "
                         "also in one without records; other segments only in windows in which they have "
                         "records, so the silence of one sensor is a matter for gap."},
               {.field_use = FieldUse::kNone, .kinds = {}, .make = make});
}

}  // namespace driftd::rules
