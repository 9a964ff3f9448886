// jensen_shannon: the symmetric, bounded relative of Kullback-Leibler.
#include <cmath>

#include "stats/shares.h"

namespace driftd::stats {
namespace {

class JensenShannon final : public Distance {
 public:
  explicit JensenShannon(const Params& params)
      : options_(read_share_options(params)),
        root_(params.text("form") == "distance"),
        unit_(params.text("log_base") == "2" ? std::log(2.0) : 1) {}

  bool has_p_value() const override { return true; }
  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    Shares s;
    if (const char* why = make_shares(reference, current, options_, s)) return Score::none(why);
    double sum = 0, worst = -1;
    Score out;
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const double mid = (s.p[i] + s.q[i]) / 2;
      const double part = (s.p[i] > 0 ? s.p[i] * std::log(s.p[i] / mid) : 0) + (s.q[i] > 0 ? s.q[i] * std::log(s.q[i] / mid) : 0);
      sum += part / 2;
      if (part > worst) {
        worst = part;
        out.worst_bin = s.bin[i];
      }
    }
    sum = std::max(0.0, sum);
    if (p_value) out.p_value = chi_square_tail(8 * s.harmonic() * sum, s.size - 1.0);
    out.value = root_ ? std::sqrt(sum / unit_) : sum / unit_;
    if (!root_) out.excess = (sum - s.null_mean() / 8) / unit_;
    return out;
  }

 private:
  ShareOptions options_;
  bool root_;
  double unit_;
};

}  // namespace

void register_jensen_shannon(DistanceRegistry& registry) {
  std::vector<ParamSpec> params = share_option_params("none");
  params.push_back({.name = "form",
                    .type = ParamType::kChoice,
                    .sentence = "distance: the square root, as in Evidently, NannyML and scipy; divergence: as in TFDV and Vertex AI",
                    .default_text = "distance",
                    .choices = {"distance", "divergence"}});
  params.push_back({.name = "log_base",
                    .type = ParamType::kChoice,
                    .sentence = "e, as in Evidently (at most 0.833), or 2, as in NannyML and TFDV (at most 1)",
                    .default_text = "2",
                    .choices = {"e", "2"}});
  registry.add({.name = "jensen_shannon",
                .summary = "Jensen-Shannon distance (or divergence) between the binned distributions",
                .applies_to = "number, integer, flag, category",
                .params = std::move(params),
                .source = "Lin (1991); Endres and Schindelin (2003) for the root; 8nm/(n+m) JS (nats) is about chi-square with B-1 degrees",
                .example = "{check: distance, field: temperature, metric: jensen_shannon, max: 0.1}",
                .reasons = score_reasons({"too_few_samples", "not_defined"}),
                .notes = "Defined on empty bins, so not smoothed by default. `excess` is given for the divergence."},
               [](const Params& p) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new JensenShannon(p)); });
}

}  // namespace driftd::stats
