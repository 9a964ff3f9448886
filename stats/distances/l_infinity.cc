// l_infinity: the largest difference of a single bin.
#include <boost/math/distributions/normal.hpp>
#include <cmath>

#include "stats/shares.h"

namespace driftd::stats {
namespace {

class LInfinity final : public Distance {
 public:
  explicit LInfinity(const Params& params) : options_(read_share_options(params)) {}

  bool has_p_value() const override { return true; }
  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    Shares s;
    if (const char* why = make_shares(reference, current, options_, s)) return Score::none(why);
    Score out;
    double z = 0;
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const double part = std::fabs(s.p[i] - s.q[i]);
      const double pooled = (s.p[i] * s.m + s.q[i] * s.n) / (s.n + s.m);
      if (pooled > 0 && pooled < 1) z = std::max(z, part / std::sqrt(pooled * (1 - pooled) * (1 / s.n + 1 / s.m)));
      if (i == 0 || part > out.value) {
        out.value = part;
        out.worst_bin = s.bin[i];
      }
    }
    if (p_value) {
      const double tail = 2 * boost::math::cdf(boost::math::complement(boost::math::normal(), z));
      out.p_value = std::min(1.0, tail * s.size);  // Bonferroni over the bins
    }
    return out;
  }

 private:
  ShareOptions options_;
};

}  // namespace

void register_l_infinity(DistanceRegistry& registry) {
  registry.add({.name = "l_infinity",
                .summary = "L-infinity distance: the largest |p - q| of a bin",
                .applies_to = "number, integer, flag, category",
                .params = share_option_params("none"),
                .source = "TFDV's drift comparator for categories; p-value: two-proportion z of each bin, Bonferroni over the bins",
                .example = "{check: distance, field: status, metric: l_infinity, max: 0.1}",
                .reasons = score_reasons({"too_few_samples", "not_defined"}),
                .notes = "Names the one category that moved. SageMaker and Vertex AI call the same number by this name."},
               [](const Params& params) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new LInfinity(params)); });
}

}  // namespace driftd::stats
