// expression: a comparison between fields of the same record. Stateless; about 1 ns a row and
// operation (rules/expression.h).
#include <algorithm>

#include "rules/expression.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class ExpressionCheck final : public ShareCheck {
 public:
  ExpressionCheck(const Params& params, Expression expression)
      : ShareCheck(params, "does_not_hold", Measure::kValue), expression_(std::move(expression)), tolerance_(params.number("tolerance")) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    for (std::uint32_t begin = rows.range.begin; begin < rows.range.end;) {
      const std::uint32_t size = std::min(Expression::kBlock, rows.range.end - begin);
      expression_.evaluate(rows.batch, begin, size, block_);
      for (std::uint32_t i = 0; i < size; ++i) {
        if (block_.valid[i] == 0) {
          hits.skip(begin + i);
        } else if (!expression_.holds(block_.difference[i], tolerance_)) {
          hits.fail(begin + i, block_.difference[i]);
        }
      }
      begin += size;
    }
  }

 private:
  Expression expression_;
  double tolerance_;
  Expression::Block block_;
};

Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
  auto expression = Expression::parse(params.text("expression"), *context.schema);
  if (!expression) return expression.error();
  return std::unique_ptr<Check>(std::make_unique<ExpressionCheck>(params, std::move(expression).value()));
}

}  // namespace

void register_expression(CheckRegistry& registry) {
  registry.add({.name = "expression",
                .summary = "A comparison between fields of the same record holds.",
                .applies_to = "stream; its number, integer and flag fields",
                .params = with_share_params({{.name = "expression",
                                              .type = ParamType::kText,
                                              .sentence = "Numbers, fields, + - * / ( ) abs( ) and one of = != < <= > >=; names that "
                                                          "are no plain words stand in backquotes",
                                              .required = true},
                                             {.name = "tolerance",
                                              .type = ParamType::kNumber,
                                              .sentence = "The sides count as equal up to this difference",
                                              .default_text = "0",
                                              .min = 0}}),
                .source = "Great Expectations expect_multicolumn_sum_to_equal and "
                          "expect_column_pair_values_a_to_be_greater_than_b, as formulas",
                .example = "- {check: expression, expression: 'inlet + makeup = outlet', tolerance: 0.5}",
                .reasons = with_share_reasons({{"does_not_hold", "too many records for which it is false"}}),
                .notes = "A record in which a field of the expression has no number (missing, null, wrong "
                         "type, NaN, infinity) is skipped; so is one with a division by 0 or a result that "
                         "is no finite number. Flags count as 1 and 0. The tolerance is in favour of the "
                         "record, but for != where the sides must differ by more. first_value is left minus "
                         "right. Comparisons of doubles are exact: give = a tolerance."},
               {.field_use = FieldUse::kNone, .kinds = {}, .make = make});
}

}  // namespace driftd::rules
