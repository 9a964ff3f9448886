// matches: every text matches a regular expression.
#include <re2/re2.h>

#include "rules/code_cache.h"
#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class Matches final : public RowCheck {
 public:
  Matches(const Params& params, const CheckContext& context)
      : RowCheck(params, context, "no_match"),
        whole_(params.text("part") == "whole"),
        pattern_(params.text("pattern"), options()) {}

  static Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
    auto check = std::make_unique<Matches>(params, context);
    if (!check->pattern_.ok()) return Error{ErrorCode::kInvalidArgument, "pattern: " + check->pattern_.error()};
    return std::unique_ptr<Check>(std::move(check));
  }

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& c = column(rows);
    const auto test = [this](std::string_view text) {
      const re2::StringPiece piece(text.data(), text.size());
      return whole_ ? RE2::FullMatch(piece, pattern_) : RE2::PartialMatch(piece, pattern_);
    };
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (c.cells[r] != Cell::kValid) {
        hits.skip(r);
      } else if (!(c.kind == FieldKind::kText ? test(rows.batch.text(c, r))
                                              : cache_.test(c.codes[r], rows.dictionaries.categories[field()], test))) {
        hits.fail(r, 0);
      }
    }
  }

 private:
  static RE2::Options options() {
    RE2::Options o;
    o.set_log_errors(false);
    o.set_max_mem(8 << 20);
    return o;
  }
  bool whole_;
  RE2 pattern_;
  CodeCache cache_;
};

}  // namespace

void register_matches(CheckRegistry& registry) {
  add_row_check<Matches>(
      registry,
      {.name = "matches",
       .summary = "Every text matches a regular expression",
       .applies_to = "category, text",
       .params = {{.name = "pattern", .type = ParamType::kText, .sentence = "Regular expression in RE2's syntax", .required = true},
                  {.name = "part", .type = ParamType::kChoice, .sentence = "Whether the whole text must match or any part of it", .default_text = "whole", .choices = {"whole", "any"}}},
       .source = "RE2 (Cox 2010): time linear in the text, whatever the pattern",
       .example = "{check: matches, field: firmware, pattern: '[0-9]+\\.[0-9]+\\.[0-9]+'}",
       .reasons = {{"no_match", "more than max_share of the texts do not match"}},
       .notes = "Nulls and wrong types are not judged. Each distinct category is matched once; texts of type text are matched one by one."},
      FieldUse::kRequired, {FieldKind::kCategory, FieldKind::kText});
}

}  // namespace driftd::rules
