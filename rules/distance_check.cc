#include "rules/distance_check.h"

#include <algorithm>
#include <utility>

namespace driftd::rules {
namespace {

// The profiles of one field by segment, found without looking at all of them for every window.
class Profiles {
 public:
  Profiles(const stats::Reference& reference, const std::string& field, FieldKind kind) {
    for (const stats::SegmentProfile& segment : reference.segments) {
      for (const stats::FieldProfile& profile : segment.fields) {
        if (profile.name == field && profile.kind == kind) {
          sorted_.emplace_back(&segment.segment, &profile);
        }
      }
    }
    std::sort(sorted_.begin(), sorted_.end(), [](const auto& a, const auto& b) { return *a.first < *b.first; });
    stream_ = exact(Segment{});
  }
  // The segment's own; the stream's when it has none; null when the reference lacks the field.
  const stats::FieldProfile* find(const Segment& segment) const {
    const stats::FieldProfile* own = exact(segment);
    return own != nullptr ? own : stream_;
  }

 private:
  const stats::FieldProfile* exact(const Segment& segment) const {
    const auto at =
        std::lower_bound(sorted_.begin(), sorted_.end(), segment, [](const auto& entry, const Segment& s) { return *entry.first < s; });
    return at != sorted_.end() && *at->first == segment ? at->second : nullptr;
  }

  std::vector<std::pair<const Segment*, const stats::FieldProfile*>> sorted_;
  const stats::FieldProfile* stream_ = nullptr;
};

class DistanceCheck final : public Check {
 public:
  DistanceCheck(const DistanceRule& rule, const CheckContext& context, std::unique_ptr<stats::Distance> distance)
      : rule_(rule), field_(static_cast<std::size_t>(context.field)), explain_ok_(context.explain_ok), distance_(std::move(distance)) {
    const Field& field = context.schema->fields[field_];
    if (context.reference != nullptr) profiles_.emplace(*context.reference, field.name, field.kind);
  }

  Needs needs() const override { return {.bins = true, .sums = distance_->needs_sums()}; }
  FindingKind kind() const override { return FindingKind::kDrift; }

  Judgement judge(const stats::Window& window, const stats::Tally&) const override {
    const stats::FieldSummary& current = window.fields[field_];
    if (!profiles_) return Judgement::none("no_reference", current.valid);
    const stats::FieldProfile* reference = profiles_->find(window.segment);
    if (reference == nullptr || current.bins == nullptr || current.bin_counts.size() != reference->bin_counts.size()) {
      return Judgement::none("not_in_reference", current.valid);
    }
    Judgement j = scored(current, *reference);
    j.n = current.valid;
    j.n_reference = reference->valid;
    j.uses_reference = true;
    return j;
  }

 private:
  Judgement scored(const stats::FieldSummary& current, const stats::FieldProfile& reference) const {
    if (reference.valid == 0) return Judgement::none("empty_reference");
    if (current.valid < rule_.min_samples) return Judgement::none("too_few_samples");
    const stats::Binned before{&reference.bins, reference.bin_counts, reference.bin_sums, static_cast<double>(reference.valid),
                               reference.moments};
    const stats::Binned now{&reference.bins, current.bin_counts, current.bin_sums, static_cast<double>(current.valid), current.moments};
    // Most windows are well below max, and nobody sees their p-value.
    stats::Score score = distance_->score(before, now, explain_ok_ || rule_.max_p_value);
    if (score.value > rule_.max && !score.p_value) score = distance_->score(before, now, true);
    if (score.no_verdict != nullptr) return Judgement::none(score.no_verdict);
    if (rule_.max_p_value && !score.p_value) return Judgement::none("no_p_value");
    Judgement j;
    j.value = score.value;
    j.threshold = rule_.max;
    j.effect = score.excess;
    if (score.value > rule_.max && (!rule_.max_p_value || *score.p_value <= *rule_.max_p_value)) {
      j.verdict = Verdict::kFail;
      j.reason = "above_max";
    }
    if (explain_ok_ || j.verdict == Verdict::kFail) explain(score, before, now, j.detail);
    return j;
  }

  static void explain(const stats::Score& score, const stats::Binned& before, const stats::Binned& now, std::vector<Detail>& out) {
    const auto number = [&](const char* key, double v) { out.push_back({key, "", v}); };
    if (score.p_value) number("p_value", *score.p_value);
    if (score.excess) number("excess", *score.excess);
    const std::size_t worst = score.worst_bin;
    if (worst >= before.counts.size()) return;
    out.push_back({"worst_bin", before.bins->label(score.worst_bin), std::nullopt});
    number("worst_bin_reference_share", before.counts[worst] / before.n);
    number("worst_bin_share", now.counts[worst] / now.n);
  }

  DistanceRule rule_;
  std::size_t field_;
  bool explain_ok_;
  std::unique_ptr<stats::Distance> distance_;
  std::optional<Profiles> profiles_;
};

}  // namespace

std::unique_ptr<Check> make_distance_check(const DistanceRule& rule, const CheckContext& context,
                                           std::unique_ptr<stats::Distance> distance) {
  return std::make_unique<DistanceCheck>(rule, context, std::move(distance));
}

std::vector<Reason> distance_reasons() {
  return {{"above_max", "the window is further from the reference than max"},
          {"no_reference", "the stream has no reference"},
          {"not_in_reference", "the reference does not have this field, or not of this type"},
          {"empty_reference", "the reference has no valid value of this field in this segment"},
          {"too_few_samples", "too few valid values, in the window or in the reference"},
          {"no_p_value", "p_value is asked for, but this metric has none here"}};
}

}  // namespace driftd::rules
