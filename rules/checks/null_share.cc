// null_share: the share of a window's records without a value.
#include "rules/make_check.h"

namespace driftd::rules {
namespace {

class NullShare final : public Check {
 public:
  NullShare(const Params& params, const CheckContext& context)
      : field_(static_cast<std::size_t>(context.field)),
        max_(params.number("max")),
        min_samples_(static_cast<std::uint64_t>(params.integer("min_samples"))) {}

  Judgement judge(const stats::Window& window, const stats::Tally&) const override {
    const stats::FieldSummary& f = window.fields[field_];
    const std::uint64_t rows = f.rows();
    if (rows < min_samples_) return Judgement::none("too_few_samples", rows);
    Judgement j;
    j.value = static_cast<double>(f.missing + f.null + f.not_finite) / static_cast<double>(rows);
    j.threshold = max_;
    j.n = rows;
    if (*j.value <= max_) return j;
    j.verdict = Verdict::kFail;
    j.reason = "above_max";
    j.detail = {{"missing", "", static_cast<double>(f.missing)},
                {"null", "", static_cast<double>(f.null)},
                {"not_finite", "", static_cast<double>(f.not_finite)}};
    return j;
  }

 private:
  std::size_t field_;
  double max_;
  std::uint64_t min_samples_;
};

}  // namespace

void register_null_share(CheckRegistry& registry) {
  registry.add(
      {.name = "null_share",
       .summary = "The share of a window's records without a value of the field is at most max.",
       .applies_to = "any field",
       .params =
           {{.name = "max", .type = ParamType::kNumber, .sentence = "Largest share allowed, 0 to 1", .required = true, .min = 0, .max = 1},
            {.name = "min_samples",
             .type = ParamType::kInteger,
             .sentence = "Records that a window needs for a verdict",
             .default_text = "1",
             .min = 1}},
       .source = "the usual missing-values test (Evidently ShareOfMissingValues, deequ Completeness)",
       .example = "- {check: null_share, field: humidity, max: 0.05}",
       .reasons = {{"above_max", "the share is above max"}, {"too_few_samples", "the window has fewer records than min_samples"}},
       .notes = "Missing, null, NaN and infinity are no values; a value of a wrong type is one. Costs "
                "nothing a record, since windows count cells by state anyway; not_null counts the "
                "same cells and also names the first record."},
      {.field_use = FieldUse::kRequired, .kinds = {}, .make = make_check<NullShare>});
}

}  // namespace driftd::rules
