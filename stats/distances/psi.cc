// psi: population stability index, which is Jeffreys' divergence of binned data.
#include <cmath>

#include "stats/shares.h"

namespace driftd::stats {
namespace {

class Psi final : public Distance {
 public:
  explicit Psi(const Params& params) : options_(read_share_options(params)) {}

  bool has_p_value() const override { return true; }
  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    Shares s;
    if (const char* why = make_shares(reference, current, options_, s)) return Score::none(why);
    Score out;
    double worst = -1;
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const double part = (s.q[i] - s.p[i]) * std::log(s.q[i] / s.p[i]);
      if (!std::isfinite(part)) return Score::none("not_defined");
      out.value += part;
      if (part > worst) {
        worst = part;
        out.worst_bin = s.bin[i];
      }
    }
    if (p_value) out.p_value = chi_square_tail(s.harmonic() * out.value, s.size - 1.0);
    out.excess = out.value - s.null_mean();
    return out;
  }

 private:
  ShareOptions options_;
};

}  // namespace

void register_psi(DistanceRegistry& registry) {
  registry.add({.name = "psi",
                .summary = "Population stability index: sum of (q - p) ln(q / p) over the bins",
                .applies_to = "number, integer, flag, category",
                .params = share_option_params("jeffreys"),
                .source = "Jeffreys (1946); null law: nm/(n+m) PSI is chi-square with B-1 degrees (Yurdakul and Naranjo 2020)",
                .example = "{check: distance, field: temperature, metric: psi, bins: 10, max: 0.2}",
                .reasons = score_reasons({"too_few_samples", "not_defined"}),
                .notes = "The folk thresholds 0.1 and 0.25 mean something else for every n: with no change at all its mean is "
                         "(B-1)(1/n+1/m), which is `excess`'s zero. Trust it from n of about 10 B on. Evidently and deepchecks "
                         "use other bins and floors: zero: evidently gives Evidently's number on equal bins."},
               [](const Params& params) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new Psi(params)); });
}

}  // namespace driftd::stats
