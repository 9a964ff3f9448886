// type: the value is of the declared kind; NaN and infinities are no numbers.
#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class Type final : public RowCheck {
 public:
  Type(const Params& params, const CheckContext& context) : RowCheck(params, context, "wrong_type") {}
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<Type>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& c = column(rows);
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (c.cells[r] == Cell::kValid) continue;
      if (c.cells[r] == Cell::kWrongType || c.cells[r] == Cell::kNotFinite) {
        hits.fail(r, 0);
      } else {
        hits.skip(r);
      }
    }
  }
};

}  // namespace

void register_type(CheckRegistry& registry) {
  add_row_check<Type>(registry,
                      {.name = "type",
                       .summary = "The value is of the kind that the field declares",
                       .applies_to = "any field",
                       .params = {},
                       .source = "schema validation, as in TFDV's *_TYPE_* anomalies",
                       .example = "{check: type, field: temperature}",
                       .reasons = {{"wrong_type", "text where a number is declared, a fraction in an integer, NaN, an infinity"}},
                       .notes = "Nulls and missing fields are not judged: see not_null."},
                      FieldUse::kRequired, {});
}

}  // namespace driftd::rules
