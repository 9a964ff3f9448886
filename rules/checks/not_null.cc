// not_null: the field is there and not null. The first data unit test of every tool.
#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class NotNull final : public RowCheck {
 public:
  NotNull(const Params& params, const CheckContext& context) : RowCheck(params, context, "null_values") {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<NotNull>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& c = column(rows);
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (c.cells[r] == Cell::kMissing || c.cells[r] == Cell::kNull) hits.fail(r, 0);
    }
  }
};

}  // namespace

void register_not_null(CheckRegistry& registry) {
  add_row_check<NotNull>(registry,
                         {.name = "not_null",
                          .summary = "The field is present and not null",
                          .applies_to = "any field",
                          .params = {},
                          .source = "completeness, as in Deequ's hasCompleteness and Evidently's missing values",
                          .example = "{check: not_null, field: [temperature, vibration], max_share: 0.01}",
                          .reasons = {{"null_values", "more than max_share of the records have no value"}},
                          .notes = "Missing fields and nulls fail. NaN, infinities and values of a wrong type are "
                                   "there, so they pass: see type. Cost: one byte compared a record."},
                         FieldUse::kRequired, {});
}

}  // namespace driftd::rules
