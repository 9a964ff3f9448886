#include "rules/share_judgement.h"

#include <algorithm>

#include "rules/numbers.h"

namespace driftd::rules {
namespace {

std::vector<Detail> details(std::uint64_t judged, const stats::Tally& tally, Measure measure) {
  std::vector<Detail> out;
  const auto number = [&](const char* key, double v) { out.push_back({key, "", v}); };
  const auto text = [&](const char* key, std::string v) { out.push_back({key, std::move(v), std::nullopt}); };
  number("failed", static_cast<double>(tally.failed));
  number("judged", static_cast<double>(judged));
  if (tally.skipped != 0) number("skipped", static_cast<double>(tally.skipped));
  if (measure == Measure::kValue) number("worst", finite(tally.worst));
  const stats::Example& first = tally.first;
  if (!first.set) return out;
  text("first_time", format_time(first.time));
  if (first.position >= 0) {  // below: a sensor that was silent has no record
    text("first_source", std::to_string(first.partition) + ":" + std::to_string(first.position));
  }
  if (!first.sensor.empty()) text("first_sensor", first.sensor);
  if (measure == Measure::kValue) number("first_value", finite(first.value));
  return out;
}

}  // namespace

std::vector<ParamSpec> with_share_params(std::vector<ParamSpec> own) {
  own.push_back({.name = "max_share",
                 .type = ParamType::kNumber,
                 .sentence = "Largest share of the judged rows of a window that may fail, 0 to 1",
                 .default_text = "0",
                 .min = 0,
                 .max = 1});
  own.push_back({.name = "min_samples",
                 .type = ParamType::kInteger,
                 .sentence = "Judged rows that a window needs for a verdict",
                 .default_text = "1",
                 .min = 1});
  return own;
}

ShareRule read_share(const Params& params) {
  return {params.number("max_share"), static_cast<std::uint64_t>(params.integer("min_samples"))};
}

std::vector<Reason> with_share_reasons(std::vector<Reason> own) {
  own.push_back({"too_few_samples", "the window has fewer judged rows than min_samples"});
  return own;
}

Judgement judge_share(const ShareRule& rule, const stats::Window& window, const stats::Tally& tally, const char* reason, Measure measure) {
  const std::uint64_t rows = window.rows > tally.skipped ? window.rows - tally.skipped : 0;
  // A silent sensor fails without a row.
  const std::uint64_t judged = std::max(rows, tally.failed);
  if (judged < rule.min_samples) return Judgement::none("too_few_samples", judged);
  Judgement j;
  j.value = static_cast<double>(tally.failed) / static_cast<double>(judged);
  j.threshold = rule.max_share;
  j.n = judged;
  if (*j.value <= rule.max_share) return j;
  j.verdict = Verdict::kFail;
  j.reason = reason;
  j.detail = details(judged, tally, measure);
  return j;
}

}  // namespace driftd::rules
