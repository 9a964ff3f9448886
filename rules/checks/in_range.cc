// in_range: numbers outside fixed bounds. Stateless; about 1 ns a row.
#include <limits>

#include "rules/make_check.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class InRange final : public ShareCheck {
 public:
  InRange(const Params& params, const CheckContext& context)
      : ShareCheck(params, "out_of_range", Measure::kValue),
        field_(static_cast<std::size_t>(context.field)),
        min_(params.maybe_number("min").value_or(std::numeric_limits<double>::lowest())),
        max_(params.maybe_number("max").value_or(std::numeric_limits<double>::max())) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    const Cell* cells = column.cells.data();
    const double* numbers = column.numbers.data();
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (cells[r] != Cell::kValid) {
        hits.skip(r);
      } else if (numbers[r] < min_ || numbers[r] > max_) {
        hits.fail(r, numbers[r]);
      }
    }
  }

 private:
  std::size_t field_;
  double min_;
  double max_;
};

Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
  const auto min = params.maybe_number("min"), max = params.maybe_number("max");
  if (!min && !max) return Error{ErrorCode::kInvalidArgument, "give 'min', 'max' or both"};
  if (min && max && *min > *max) {
    return Error{ErrorCode::kInvalidArgument, "'min' is above 'max': no value could pass"};
  }
  return make_check<InRange>(params, context);
}

}  // namespace

void register_in_range(CheckRegistry& registry) {
  registry.add(
      {.name = "in_range",
       .summary = "Every number of the field lies between min and max.",
       .applies_to = "number, integer, flag",
       .params = with_share_params(
           {{.name = "min", .type = ParamType::kNumber, .sentence = "Least value allowed, inclusive; min, max or both must be given"},
            {.name = "max", .type = ParamType::kNumber, .sentence = "Largest value allowed, inclusive"}}),
       .source = "the usual range test (Great Expectations expect_column_values_to_be_between)",
       .example = "- {check: in_range, field: temperature, min: -40, max: 125, severity: critical}",
       .reasons = with_share_reasons({{"out_of_range", "too many values below min or above max"}}),
       .notes = "Cells without a number (missing, null, wrong type, NaN, infinity) are skipped: "
                "not_null and type are about those. first_value is the value itself, worst the "
                "largest magnitude among the failed."},
      {.field_use = FieldUse::kRequired, .kinds = {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag}, .make = make});
}

}  // namespace driftd::rules
