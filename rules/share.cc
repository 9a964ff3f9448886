#include "rules/share.h"

namespace driftd::rules {

std::vector<ParamSpec> share_params(std::vector<ParamSpec> own) {
  own.push_back({.name = "max_share",
                 .type = ParamType::kNumber,
                 .sentence = "Share of the judged records that may fail",
                 .default_text = "0",
                 .min = 0,
                 .max = 1});
  own.push_back({.name = "min_samples",
                 .type = ParamType::kInteger,
                 .sentence = "Fewer judged records than this give no verdict",
                 .default_text = "1",
                 .min = 1,
                 .max = 1e9});
  return own;
}

std::vector<Reason> share_reasons(std::vector<Reason> own) {
  own.push_back({"too_few_samples", "fewer than min_samples records could be judged"});
  return own;
}

ShareRule::ShareRule(const Params& params)
    : max_share(params.number("max_share")),
      min_samples(static_cast<std::uint64_t>(params.integer("min_samples"))) {}

Judgement ShareRule::judge(const stats::Tally& tally, std::uint64_t judged, const char* reason) const {
  // Silence (gap) fails without a record, so that more can fail than were judged.
  judged = std::max(judged, tally.failed);
  if (judged < min_samples) return Judgement::none("too_few_samples", judged);
  Judgement j;
  j.n = judged;
  j.value = static_cast<double>(tally.failed) / static_cast<double>(judged);
  j.threshold = max_share;
  if (*j.value <= max_share) return j;
  j.verdict = Verdict::kFail;
  j.reason = reason;
  j.detail.push_back({"failed", "", static_cast<double>(tally.failed)});
  j.detail.push_back({"worst", "", tally.worst});
  if (!tally.first.set) return j;
  j.detail.push_back({"first_time", format_time(tally.first.time), std::nullopt});
  if (tally.first.position >= 0) {
    j.detail.push_back({"first_source",
                        std::to_string(tally.first.partition) + ":" + std::to_string(tally.first.position),
                        std::nullopt});
  }
  j.detail.push_back({"first_sensor", tally.first.sensor, std::nullopt});
  j.detail.push_back({"first_value", "", tally.first.value});
  return j;
}

}  // namespace driftd::rules
