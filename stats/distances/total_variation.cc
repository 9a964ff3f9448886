// total_variation: half the sum of absolute differences.
#include <cmath>

#include "stats/shares.h"

namespace driftd::stats {
namespace {

class TotalVariation final : public Distance {
 public:
  explicit TotalVariation(const Params& params) : options_(read_share_options(params)) {}

  Score score(const Binned& reference, const Binned& current, bool) const override {
    Shares s;
    if (const char* why = make_shares(reference, current, options_, s)) return Score::none(why);
    Score out;
    double worst = -1, spread = 0;
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const double part = std::fabs(s.p[i] - s.q[i]);
      out.value += part / 2;
      spread += std::sqrt(s.p[i] * (1 - s.p[i]));
      if (part > worst) {
        worst = part;
        out.worst_bin = s.bin[i];
      }
    }
    // Mean of half the sum of |N(0, p(1-p)(1/n+1/m))|.
    out.excess = out.value - spread * std::sqrt((1 / s.n + 1 / s.m) / (2 * M_PI));
    return out;
  }

 private:
  ShareOptions options_;
};

}  // namespace

void register_total_variation(DistanceRegistry& registry) {
  registry.add(
      {.name = "total_variation",
       .summary = "Total variation distance: half the sum of |p - q|",
       .applies_to = "number, integer, flag, category",
       .params = share_option_params("none"),
       .source = "half the L1 distance; null mean from the normal approximation of each bin",
       .example = "{check: distance, field: status, metric: total_variation, max: 0.05}",
       .reasons = score_reasons({"too_few_samples", "not_defined"}),
       .notes = "The share of records that would have to move: the easiest of all to explain. No p-value: its null law has no simple form; "
                "see `excess`."},
      [](const Params& params) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new TotalVariation(params)); });
}

}  // namespace driftd::stats
