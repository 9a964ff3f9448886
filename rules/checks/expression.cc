// expression: what must hold between the fields of one record.
#include "rules/expression.h"

#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class ExpressionCheck final : public RowCheck {
 public:
  ExpressionCheck(const Params& params, const CheckContext& context, Expression expression)
      : RowCheck(params, context, "does_not_hold"), expression_(std::move(expression)), tolerance_(params.number("tolerance")) {}

  static Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
    auto expression = Expression::parse(params.text("expression"), *context.schema);
    if (!expression) return expression.error();
    return std::unique_ptr<Check>(std::make_unique<ExpressionCheck>(params, context, std::move(*expression)));
  }

  void on_rows(const Rows& rows, RowHits& hits) override {
    double difference = 0;
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      const auto outcome = expression_.evaluate(rows.batch, r, tolerance_, difference);
      if (outcome == Expression::Outcome::kUnknown) hits.skip(r);
      if (outcome == Expression::Outcome::kBroken) hits.fail(r, difference);
    }
  }

 private:
  Expression expression_;
  double tolerance_;
};

}  // namespace

void register_expression(CheckRegistry& registry) {
  add_row_check<ExpressionCheck>(
      registry,
      {.name = "expression",
       .summary = "A comparison between fields of a record holds",
       .applies_to = "stream",
       .params = {{.name = "expression", .type = ParamType::kText, .sentence = "What must hold: numbers, numeric fields, + - * / ( ) abs() and one of = != < <= > >=", .required = true},
                  {.name = "tolerance", .type = ParamType::kNumber, .sentence = "Difference that still counts as equal", .default_text = "0", .min = 0}},
       .source = "cross-field rules, as in GX expect_column_pair_values_a_to_be_greater_than_b and multicolumn_sum_to_equal",
       .example = "{check: expression, expression: 'flow_in - flow_out = level_change', tolerance: 0.5}",
       .reasons = {{"does_not_hold", "it is broken in more than max_share of the records"}},
       .notes = "A record in which a field of it has no value, or that divides by zero, is not judged. The worst and the first value are left minus right. The tolerance widens <=, >=, = and also < and >."},
      FieldUse::kNone, {});
}

}  // namespace driftd::rules
