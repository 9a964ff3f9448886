// not_null: cells without a value. Stateless; about 1 ns a row.
#include "rules/make_check.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class NotNull final : public ShareCheck {
 public:
  NotNull(const Params& params, const CheckContext& context)
      : ShareCheck(params, "null_value", Measure::kNone), field_(static_cast<std::size_t>(context.field)) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Cell* cells = rows.batch.columns[field_].cells.data();
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (cells[r] == Cell::kValid || cells[r] == Cell::kWrongType) [[likely]]
        continue;
      hits.fail(r, 0);
    }
  }

 private:
  std::size_t field_;
};

}  // namespace

void register_not_null(CheckRegistry& registry) {
  registry.add({.name = "not_null",
                .summary = "Every record has a value of the field.",
                .applies_to = "any field",
                .params = with_share_params({}),
                .source = "the usual completeness test (Great Expectations "
                          "expect_column_values_to_not_be_null, deequ Completeness)",
                .example = "- {check: not_null, field: [temperature, vibration], max_share: 0.01}",
                .reasons = with_share_reasons({{"null_value", "too many records without a value"}}),
                .notes = "Fails on a field that is missing or null (CSV: empty) and on NaN and infinities, "
                         "which are no values. A value of a wrong type is a value: the check type is about "
                         "those. No row is skipped. To judge the share with other bounds per window, without "
                         "an example row, use null_share; both count the same cells."},
               {.field_use = FieldUse::kRequired, .kinds = {}, .make = make_check<NotNull>});
}

}  // namespace driftd::rules
