// matches: texts against a regular expression, in time linear in the text (RE2, no backtracking).
#include <re2/re2.h>

#include "core/text.h"
#include "rules/code_verdicts.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class Matches final : public ShareCheck {
 public:
  Matches(const Params& params, const CheckContext& context, std::unique_ptr<RE2> regex)
      : ShareCheck(params, "no_match", Measure::kNone),
        field_(static_cast<std::size_t>(context.field)),
        whole_(params.text("part") == "full"),
        regex_(std::move(regex)) {}

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    const bool category = column.kind == FieldKind::kCategory;
    if (category) {
      codes_.learn(rows.dictionaries.categories[field_], [this](std::string_view text) { return matches(text); });
    }
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (column.cells[r] != Cell::kValid || (category && !codes_.known(column.codes[r]))) {
        hits.skip(r);
      } else if (category ? !codes_.passes(column.codes[r]) : !matches(rows.batch.text(column, r))) {
        hits.fail(r, 0);
      }
    }
  }

 private:
  bool matches(std::string_view text) const {
    return regex_->Match(text, 0, text.size(), whole_ ? RE2::ANCHOR_BOTH : RE2::UNANCHORED, nullptr, 0);
  }

  std::size_t field_;
  bool whole_;
  std::unique_ptr<RE2> regex_;
  CodeVerdicts codes_;
};

Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(8 << 20);
  auto regex = std::make_unique<RE2>(params.text("regex"), options);
  if (!regex->ok()) {
    return Error{ErrorCode::kInvalidArgument, "'regex' is no regular expression: " + regex->error()};
  }
  return std::unique_ptr<Check>(std::make_unique<Matches>(params, context, std::move(regex)));
}

}  // namespace

void register_matches(CheckRegistry& registry) {
  registry.add({.name = "matches",
                .summary = "Every text of the field matches a regular expression.",
                .applies_to = "category, text",
                .params = with_share_params({{.name = "regex",
                                              .type = ParamType::kText,
                                              .sentence = "Regular expression in RE2's syntax (no look-around, no back-references)",
                                              .required = true},
                                             {.name = "part",
                                              .type = ParamType::kChoice,
                                              .sentence = "Whether the full text must match, or any part of it",
                                              .default_text = "full",
                                              .choices = {"full", "any"}}}),
                .source = "RE2 (Cox, Regular Expression Matching in the Wild, 2010)",
                .example = "- {check: matches, field: firmware, regex: 'v[0-9]+\\.[0-9]+'}",
                .reasons = with_share_reasons({{"no_match", "too many texts that do not match"}}),
                .notes = "Cells without a text (missing, null, wrong type) are skipped; an empty text is a "
                         "text. Text that is not valid UTF-8 does not match `.`. A category is matched once "
                         "a distinct text, a text field once a row (some 100 ns). Categories beyond the 4096 "
                         "that a field keeps are skipped."},
               {.field_use = FieldUse::kRequired, .kinds = {FieldKind::kCategory, FieldKind::kText}, .make = make});
}

}  // namespace driftd::rules
