// in_range: every value lies between bounds.
#include <cmath>
#include <limits>

#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class InRange final : public RowCheck {
 public:
  InRange(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "out_of_range"),
        min_(params.maybe_number("min").value_or(-std::numeric_limits<double>::infinity())),
        max_(params.maybe_number("max").value_or(std::numeric_limits<double>::infinity())) {}

  static Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
    if (!params.has("min") && !params.has("max")) {
      return Error{ErrorCode::kInvalidArgument, "needs min, max or both"};
    }
    if (params.has("min") && params.has("max") && params.number("min") > params.number("max")) {
      return Error{ErrorCode::kInvalidArgument, "min is above max"};
    }
    return make_check<InRange>(params, context);
  }

  void on_rows(const Rows& rows, RowHits& hits) override {
    for_each_number(column(rows), rows.range, hits, [&](std::uint32_t r, double x) {
      if (x < min_ || x > max_) hits.fail(r, x);
    });
  }

 private:
  double min_, max_;
};

}  // namespace

void register_in_range(CheckRegistry& registry) {
  add_row_check<InRange>(
      registry,
      {.name = "in_range",
       .summary = "Every value lies between min and max, both allowed",
       .applies_to = "number, integer, flag",
       .params = {{.name = "min", .type = ParamType::kNumber, .sentence = "Least value allowed"},
                  {.name = "max", .type = ParamType::kNumber, .sentence = "Greatest value allowed"}},
       .source = "range test of the QARTOD manual (US IOOS); GX expect_column_values_to_be_between",
       .example = "{check: in_range, field: temperature, min: -40, max: 125, severity: critical}",
       .reasons = {{"out_of_range", "more than max_share of the values are outside the bounds"}},
       .notes = "Nulls, NaN and wrong types are not judged. Cost: two comparisons a record."},
      FieldUse::kRequired, numeric_kinds());
}

}  // namespace driftd::rules
