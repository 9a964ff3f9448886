// in_set: values outside a fixed list. Numbers and texts: O(log values) a row; categories: O(1).
#include <algorithm>

#include "core/text.h"
#include "rules/code_verdicts.h"
#include "rules/make_check.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

// A listed value of a numeric field as its number; flags are also written true and false.
std::optional<double> number_of(const std::string& text, FieldKind kind) {
  if (kind == FieldKind::kFlag && (text == "true" || text == "false")) return text == "true";
  return parse_number(text);
}

class InSet final : public ShareCheck {
 public:
  InSet(const Params& params, const CheckContext& context)
      : ShareCheck(params, "not_in_set", Measure::kNone), field_(static_cast<std::size_t>(context.field)), texts_(params.texts("values")) {
    const FieldKind kind = context.schema->fields[field_].kind;
    if (is_numeric(kind)) {
      for (const std::string& text : texts_) numbers_.push_back(*number_of(text, kind));
    }
    std::sort(numbers_.begin(), numbers_.end());
    std::sort(texts_.begin(), texts_.end());
  }

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    if (is_numeric(column.kind)) {
      each(rows, column, hits, [&](std::uint32_t r) { return std::binary_search(numbers_.begin(), numbers_.end(), column.numbers[r]); });
    } else if (column.kind == FieldKind::kText) {
      each(rows, column, hits, [&](std::uint32_t r) { return listed(rows.batch.text(column, r)); });
    } else {
      codes_.learn(rows.dictionaries.categories[field_], [this](std::string_view text) { return listed(text); });
      for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
        if (column.cells[r] != Cell::kValid || !codes_.known(column.codes[r])) {
          hits.skip(r);
        } else if (!codes_.passes(column.codes[r])) {
          hits.fail(r, 0);
        }
      }
    }
  }

 private:
  template <class F>
  static void each(const Rows& rows, const Column& column, RowHits& hits, F&& passes) {
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (column.cells[r] != Cell::kValid) {
        hits.skip(r);
      } else if (!passes(r)) {
        hits.fail(r, 0);
      }
    }
  }
  bool listed(std::string_view text) const { return std::binary_search(texts_.begin(), texts_.end(), text, std::less<>()); }

  std::size_t field_;
  std::vector<std::string> texts_;
  std::vector<double> numbers_;
  CodeVerdicts codes_;
};

Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
  const FieldKind kind = context.schema->fields[static_cast<std::size_t>(context.field)].kind;
  if (params.texts("values").empty()) {
    return Error{ErrorCode::kInvalidArgument, "'values' is an empty list: no value could pass"};
  }
  for (const std::string& text : params.texts("values")) {
    if (!is_numeric(kind) || number_of(text, kind)) continue;
    return Error{ErrorCode::kInvalidArgument,
                 "'values': '" + excerpt(text, 60) + "' is no number, but the field is of type " + to_string(kind)};
  }
  return make_check<InSet>(params, context);
}

}  // namespace

void register_in_set(CheckRegistry& registry) {
  registry.add(
      {.name = "in_set",
       .summary = "Every value of the field is one of a list.",
       .applies_to = "any field",
       .params = with_share_params(
           {{.name = "values", .type = ParamType::kTextList, .sentence = "The values allowed, compared exactly", .required = true}}),
       .source = "the usual domain test (Great Expectations expect_column_values_to_be_in_set, "
                 "TFDV ENUM_TYPE_UNEXPECTED_STRING_VALUES)",
       .example = "- {check: in_set, field: status, values: [ok, idle, service]}",
       .reasons = with_share_reasons({{"not_in_set", "too many values that are not listed"}}),
       .notes = "Cells without a value (missing, null, wrong type, NaN) are skipped. Numbers are "
                "compared as doubles, so list the exact value. Categories beyond the 4096 that a field "
                "keeps are skipped. To allow what the "
                "reference has seen instead of a list, use new_category."},
      {.field_use = FieldUse::kRequired, .kinds = {}, .make = make});
}

}  // namespace driftd::rules
