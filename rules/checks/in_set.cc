// in_set: every value is one of a list.
#include <algorithm>
#include <string>

#include "core/text.h"
#include "rules/code_cache.h"
#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class InSet final : public RowCheck {
 public:
  InSet(const Params& params, const CheckContext& context) : RowCheck(params, context, "not_in_set"), texts_(params.texts("values")) {
    std::sort(texts_.begin(), texts_.end());
    for (const std::string& text : texts_) {
      if (const auto number = parse_number(text)) numbers_.push_back(*number);
      if (text == "true") numbers_.push_back(1);
      if (text == "false") numbers_.push_back(0);
    }
    std::sort(numbers_.begin(), numbers_.end());
  }

  static Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
    auto check = std::make_unique<InSet>(params, context);
    const FieldKind kind = context.schema->fields[static_cast<std::size_t>(context.field)].kind;
    if (is_numeric(kind) && check->numbers_.size() != check->texts_.size()) {
      return Error{ErrorCode::kInvalidArgument, "values of a numeric field must be numbers (of a flag: true, false)"};
    }
    return std::unique_ptr<Check>(std::move(check));
  }

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& c = column(rows);
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (c.cells[r] != Cell::kValid) {
        hits.skip(r);
      } else if (!allowed(c, r, rows)) {
        hits.fail(r, is_numeric(c.kind) ? c.numbers[r] : 0);
      }
    }
  }

 private:
  bool allowed(const Column& c, std::uint32_t r, const Rows& rows) {
    const auto known = [this](std::string_view text) { return std::binary_search(texts_.begin(), texts_.end(), text); };
    if (is_numeric(c.kind)) return std::binary_search(numbers_.begin(), numbers_.end(), c.numbers[r]);
    if (c.kind == FieldKind::kText) return known(rows.batch.text(c, r));
    return cache_.test(c.codes[r], rows.dictionaries.categories[field()], known);
  }

  std::vector<std::string> texts_;
  std::vector<double> numbers_;
  CodeCache cache_;
};

}  // namespace

void register_in_set(CheckRegistry& registry) {
  add_row_check<InSet>(registry,
                       {.name = "in_set",
                        .summary = "Every value is one of a list",
                        .applies_to = "any field",
                        .params = {{.name = "values", .type = ParamType::kTextList, .sentence = "Values allowed", .required = true}},
                        .source = "GX expect_column_values_to_be_in_set, TFDV ENUM_TYPE_UNEXPECTED_STRING_VALUES",
                        .example = "{check: in_set, field: status, values: [ok, standby, fault]}",
                        .reasons = {{"not_in_set", "more than max_share of the values are not in the list"}},
                        .notes = "Nulls, NaN and wrong types are not judged. Each distinct category is looked up once."},
                       FieldUse::kRequired, {});
}

}  // namespace driftd::rules
