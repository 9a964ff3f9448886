// hellinger: Hellinger distance.
#include <cmath>

#include "stats/shares.h"

namespace driftd::stats {
namespace {

class Hellinger final : public Distance {
 public:
  explicit Hellinger(const Params& params) : options_(read_share_options(params)) {}

  bool has_p_value() const override { return true; }
  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    Shares s;
    if (const char* why = make_shares(reference, current, options_, s)) return Score::none(why);
    Score out;
    double squares = 0, worst = -1;
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const double root = std::sqrt(s.p[i]) - std::sqrt(s.q[i]);
      squares += root * root;
      if (root * root > worst) {
        worst = root * root;
        out.worst_bin = s.bin[i];
      }
    }
    out.value = std::sqrt(squares / 2);
    if (p_value) out.p_value = chi_square_tail(8 * s.harmonic() * squares / 2, s.size - 1.0);
    return out;
  }

 private:
  ShareOptions options_;
};

}  // namespace

void register_hellinger(DistanceRegistry& registry) {
  registry.add({.name = "hellinger",
                .summary = "Hellinger distance: root of 1 - sum of sqrt(p q)",
                .applies_to = "number, integer, flag, category",
                .params = share_option_params("none"),
                .source = "Hellinger (1909); 8nm/(n+m) H^2 is about chi-square with B-1 degrees",
                .example = "{check: distance, field: temperature, metric: hellinger, max: 0.1}",
                .reasons = score_reasons({"too_few_samples", "not_defined"}),
                .notes = "Between 0 and 1. On equal bins it is Evidently's and NannyML's number; theirs differ in the bins, which "
                         "Evidently cuts anew for every window, by the distinct values of both sides."},
               [](const Params& params) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new Hellinger(params)); });
}

}  // namespace driftd::stats
