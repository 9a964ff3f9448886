// new_category: categories that the reference does not have. O(1) a row: judged once a text.
#include "rules/code_verdicts.h"
#include "rules/make_check.h"
#include "rules/share_judgement.h"

namespace driftd::rules {
namespace {

class NewCategory final : public ShareCheck {
 public:
  NewCategory(const Params& params, const CheckContext& context)
      : ShareCheck(params, "new_category", Measure::kNone),
        field_(static_cast<std::size_t>(context.field)),
        has_reference_(context.reference != nullptr) {
    if (!has_reference_) return;
    profile_ = context.reference->field(Segment{}, context.schema->fields[field_].name);
    if (profile_ != nullptr && profile_->bins.numeric()) profile_ = nullptr;
    // The last bin counts what the reference had beyond the categories it keeps.
    complete_ = profile_ != nullptr && profile_->bin_counts.size() == profile_->bins.size() && profile_->bin_counts.back() == 0;
  }

  bool row_level() const override { return profile_ != nullptr; }
  bool rows_need_reference() const override { return true; }

  void on_rows(const Rows& rows, RowHits& hits) override {
    const Column& column = rows.batch.columns[field_];
    codes_.learn(rows.dictionaries.categories[field_],
                 [this](std::string_view text) { return profile_->bins.bin_of(text) + 1 < profile_->bins.size(); });
    for (std::uint32_t r = rows.range.begin; r < rows.range.end; ++r) {
      const std::uint32_t code = column.codes[r];
      if (column.cells[r] != Cell::kValid || !codes_.known(code)) {
        hits.skip(r);
      } else if (!codes_.passes(code)) {
        complete_ ? hits.fail(r, 0) : hits.skip(r);
      }
    }
  }

  Judgement judge(const stats::Window& window, const stats::Tally& tally) const override {
    if (!has_reference_) return Judgement::none("no_reference");
    if (profile_ == nullptr) return Judgement::none("not_in_reference");
    Judgement j = ShareCheck::judge(window, tally);
    j.n_reference = profile_->valid;
    j.uses_reference = true;
    return j;
  }

 private:
  std::size_t field_;
  bool has_reference_;
  const stats::FieldProfile* profile_ = nullptr;
  bool complete_ = false;
  CodeVerdicts codes_;
};

}  // namespace

void register_new_category(CheckRegistry& registry) {
  registry.add({.name = "new_category",
                .summary = "Every category of the field is one that the reference has.",
                .applies_to = "category",
                .params = with_share_params({}),
                .source = "TFDV ENUM_TYPE_UNEXPECTED_STRING_VALUES, with the reference as the domain",
                .example = "- {check: new_category, field: status}",
                .reasons = with_share_reasons({{"new_category", "too many values that the reference does not have"},
                                               {"no_reference", "the stream has no reference"},
                                               {"not_in_reference", "the reference does not have this field as a category"}}),
                .notes = "Cells without a value (missing, null, wrong type) are skipped. A reference keeps "
                         "1024 categories a field; when it had more, an unknown text may be one of the rest "
                         "and is skipped. Categories beyond the 4096 that a partition keeps are skipped too. "
                         "Every segment is compared with the categories of the whole stream."},
               {.field_use = FieldUse::kRequired, .kinds = {FieldKind::kCategory}, .make = make_check<NewCategory>});
}

}  // namespace driftd::rules
