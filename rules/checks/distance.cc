// distance: a window's distribution against the reference's, with a fixed threshold.
#include <cmath>

#include "core/text.h"
#include "rules/check.h"
#include "stats/distance.h"

namespace driftd::rules {
namespace {

class DistanceCheck final : public Check {
 public:
  DistanceCheck(const Params& params, const CheckContext& context, std::unique_ptr<stats::Distance> distance)
      : distance_(std::move(distance)),
        max_(params.number("max")),
        max_p_(params.maybe_number("p_value")),
        min_samples_(static_cast<std::uint64_t>(params.integer("min_samples"))),
        field_(static_cast<std::size_t>(context.field)),
        name_(context.schema->fields[field_].name),
        reference_(context.reference) {}

  static Result<std::unique_ptr<Check>> make(const Params& params, const CheckContext& context) {
    const auto& registry = stats::distances();
    const auto* unit = registry.find(params.text("metric"));
    if (unit == nullptr) {
      const auto near = nearest(params.text("metric"), registry.names());
      return Error{ErrorCode::kInvalidArgument, "there is no metric '" + excerpt(params.text("metric"), 60) + "'" +
                                                    (near ? "; did you mean '" + *near + "'?" : "; there are: " + join(registry.names()))};
    }
    ErrorList errors;
    const Params own = read_params(params.has("params") ? params.node("params") : Node(), unit->descriptor.params,
                                   "params of " + unit->descriptor.name, errors);
    if (!errors.empty()) return Error{ErrorCode::kInvalidArgument, errors.errors().front().message};
    auto distance = unit->make(own);
    if (!distance) return distance.error();
    const FieldKind kind = context.schema->fields[static_cast<std::size_t>(context.field)].kind;
    if (kind == FieldKind::kCategory && !(*distance)->for_categories()) {
      return Error{ErrorCode::kInvalidArgument, unit->descriptor.name + " is for numbers, not for categories"};
    }
    return std::unique_ptr<Check>(std::make_unique<DistanceCheck>(params, context, std::move(*distance)));
  }

  Needs needs() const override { return {.bins = true, .sums = distance_->needs_sums()}; }
  FindingKind kind() const override { return FindingKind::kDrift; }

  Judgement judge(const stats::Window& window, const stats::Tally&) const override {
    const stats::FieldSummary& field = window.fields[field_];
    if (reference_ == nullptr) return Judgement::none("no_reference", field.valid);
    const stats::FieldProfile* profile = reference_->field(window.segment, name_);
    if (profile == nullptr || field.bins == nullptr) return Judgement::none("not_in_reference", field.valid);
    if (field.valid < min_samples_) return Judgement::none("too_few_samples", field.valid);
    const stats::Binned reference{field.bins, profile->bin_counts, profile->bin_sums, static_cast<double>(profile->valid), profile->moments};
    const stats::Binned current{field.bins, field.bin_counts, field.bin_sums, static_cast<double>(field.valid), field.moments};
    const stats::Score score = distance_->score(reference, current);
    if (score.no_verdict != nullptr || !std::isfinite(score.value)) {
      return Judgement::none(score.no_verdict != nullptr ? score.no_verdict : "not_defined", field.valid);
    }
    Judgement j;
    j.uses_reference = true;
    j.n = field.valid;
    j.n_reference = profile->valid;
    j.value = score.value;
    j.threshold = max_;
    j.effect = score.excess;
    const bool significant = !max_p_ || !score.p_value || *score.p_value <= *max_p_;
    if (score.value <= max_ || !significant) return j;
    j.verdict = Verdict::kFail;
    j.reason = "distance_high";
    if (score.p_value) j.detail.push_back({"p_value", "", *score.p_value});
    const std::uint32_t b = score.worst_bin;
    j.detail.push_back({"worst_bin", field.bins->label(b), std::nullopt});
    j.detail.push_back({"share_reference", "", reference.counts[b] / std::max(1.0, reference.n)});
    j.detail.push_back({"share", "", current.counts[b] / current.n});
    return j;
  }

 private:
  std::unique_ptr<stats::Distance> distance_;
  double max_;
  std::optional<double> max_p_;
  std::uint64_t min_samples_;
  std::size_t field_;
  std::string name_;
  const stats::Reference* reference_;
};

}  // namespace

void register_distance(CheckRegistry& registry) {
  registry.add(
      {.name = "distance",
       .summary = "A distance between the window's distribution and the reference's is not above a fixed threshold",
       .applies_to = "number, integer, flag, category",
       .params = {{.name = "metric", .type = ParamType::kText, .sentence = "Which distance: see driftd list distances", .required = true},
                  {.name = "max", .type = ParamType::kNumber, .sentence = "Threshold; a greater value fails", .required = true, .min = 0},
                  {.name = "p_value", .type = ParamType::kNumber, .sentence = "Fail only when the p-value, where the metric has one, is at most this", .min = 0, .max = 1},
                  {.name = "min_samples", .type = ParamType::kInteger, .sentence = "Windows with fewer values give no verdict", .default_text = "30", .min = 1, .max = 1e9},
                  {.name = "params", .type = ParamType::kNode, .sentence = "Parameters of the metric"}},
       .source = "the metric's own; driftd describe METRIC",
       .example = "{check: distance, field: status, metric: psi, max: 0.2}",
       .reasons = {{"distance_high", "the distance is above max (and the p-value at most p_value)"},
                   {"no_reference", "the stream has no reference yet"},
                   {"not_in_reference", "the reference does not have the field, or as another kind"},
                   {"too_few_samples", "the window has fewer than min_samples values"},
                   {"constant_reference", "the reference has a single value, so that this metric means nothing"},
                   {"not_numeric", "the metric needs numbers"},
                   {"not_defined", "the metric has no finite value here"}},
       .notes = "Nulls, NaN and wrong types are left out; their share is the business of not_null and type. The window is compared with its segment's own profile where the reference has one, else with the stream's. p-values assume independent records; sensors are autocorrelated, so read them as a scale, not as a rate of false alarms."},
      {FieldUse::kRequired,
       {FieldKind::kNumber, FieldKind::kInteger, FieldKind::kFlag, FieldKind::kCategory},
       DistanceCheck::make});
}

}  // namespace driftd::rules
