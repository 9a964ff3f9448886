// new_category: a category that the reference does not have.
#include "rules/code_cache.h"
#include "rules/row_check.h"

namespace driftd::rules {
namespace {

class NewCategory final : public RowCheck {
 public:
  NewCategory(const Params& params, const CheckContext& context) : RowCheck(params, context, "new_category") {
    if (context.reference == nullptr) return;
    const Field& f = context.schema->fields[static_cast<std::size_t>(context.field)];
    const stats::FieldProfile* profile = context.reference->field(Segment{}, f.name);
    if (profile != nullptr && profile->bins.kind == stats::Bins::Kind::kCategory) bins_ = &profile->bins;
  }
  static Result<std::unique_ptr<Check>> make(const Params& p, const CheckContext& c) { return make_check<NewCategory>(p, c); }

  void on_rows(const Rows& rows, RowHits& hits) override {
    if (bins_ == nullptr) return;
    const Column& c = column(rows);
    const auto known = [this](std::string_view text) { return bins_->bin_of(text) + 1 < bins_->size(); };
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      if (c.cells[r] != Cell::kValid) {
        hits.skip(r);
      } else if (!cache_.test(c.codes[r], rows.dictionaries.categories[field()], known)) {
        hits.fail(r, 0);
      }
    }
  }

  Judgement judge(const stats::Window& window, const stats::Tally& tally) const override {
    if (bins_ == nullptr) return Judgement::none("no_reference", window.rows);
    Judgement j = RowCheck::judge(window, tally);
    j.uses_reference = true;
    return j;
  }

 private:
  const stats::Bins* bins_ = nullptr;
  CodeCache cache_;
};

}  // namespace

void register_new_category(CheckRegistry& registry) {
  add_row_check<NewCategory>(registry,
                             {.name = "new_category",
                              .summary = "Every category was seen in the reference",
                              .applies_to = "category",
                              .params = {},
                              .source = "NannyML's unseen values, deepchecks' new category",
                              .example = "{check: new_category, field: status}",
                              .reasons = {{"new_category", "more than max_share of the values are categories that the reference does not have"},
                                          {"no_reference", "the stream has no reference, or it does not know the field as a category"}},
                              .notes = "Nulls are not judged. The reference keeps the 1024 most frequent categories; the rest count as new."},
                             FieldUse::kRequired, {FieldKind::kCategory});
}

}  // namespace driftd::rules
