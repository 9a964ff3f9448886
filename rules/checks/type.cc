// type: cells of another type than declared. Stateless; about 1 ns a row.
#include "rules/make_check.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class Type final : public ShareCheck {
 public:
  Type(const Params& params, const CheckContext& context)
      : ShareCheck(params, "wrong_type", Measure::kNone),
        field_(static_cast<std::size_t>(context.field)),
        finite_(params.boolean("finite")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Cell* cells = rows.batch.columns[field_].cells.data();
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (cells[r] == Cell::kValid) [[likely]]
        continue;
      if (cells[r] == Cell::kWrongType || (finite_ && cells[r] == Cell::kNotFinite)) {
        hits.fail(r, 0);
      } else {
        hits.skip(r);
      }
    }
  }

 private:
  std::size_t field_;
  bool finite_;
};

}  // namespace

void register_type(CheckRegistry& registry) {
  registry.add({.name = "type",
                .summary = "Every value of the field is of the declared type.",
                .applies_to = "any field",
                .params = with_share_params({{.name = "finite",
                                              .type = ParamType::kBoolean,
                                              .sentence = "Count NaN and infinities as of a wrong type too",
                                              .default_text = "false"}}),
                .source = "TFDV's *_TYPE_* anomalies, Great Expectations expect_column_values_to_be_of_type",
                .example = "- {check: type, field: temperature}",
                .reasons = with_share_reasons({{"wrong_type", "too many values of another type"}}),
                .notes = "Integer fields take whole numbers up to 9007199254740991 (2^53 - 1, beyond which numbers "
                         "could not be told apart; such ids belong in a text or category field), flags true and false (or 1 and 0). Text "
                         "that holds a number is of a wrong type unless the field says numbers_in_text. "
                         "Missing and null are skipped; so are NaN and infinities unless finite is true."},
               {.field_use = FieldUse::kRequired, .kinds = {}, .make = make_check<Type>});
}

}  // namespace driftd::rules
