// chi_square: Pearson's test of two samples.
#include <cmath>

#include "stats/shares.h"

namespace driftd::stats {
namespace {

class ChiSquare final : public Distance {
 public:
  explicit ChiSquare(const Params& params)
      : options_{.zero = ShareOptions::Zero::kNone, .bins = static_cast<std::uint32_t>(params.integer("bins"))},
        one_way_(params.text("form") == "one_way") {}

  bool has_p_value() const override { return true; }
  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    Shares s;
    if (const char* why = make_shares(reference, current, options_, s)) return Score::none(why);
    Score out;
    double worst = -1;
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const double d = s.q[i] - s.p[i];
      const double expected = one_way_ ? s.p[i] : (s.n * s.q[i] + s.m * s.p[i]) / (s.n + s.m);
      if (expected == 0) return Score::none("not_defined");  // one way: a category that the reference lacks
      const double part = (one_way_ ? s.n : s.harmonic()) * d * d / expected;
      out.value += part;
      if (part > worst) {
        worst = part;
        out.worst_bin = s.bin[i];
      }
    }
    const double df = s.size - 1.0;
    if (p_value) out.p_value = chi_square_tail(out.value, df);
    out.excess = out.value - df;
    return out;
  }

 private:
  ShareOptions options_;
  bool one_way_;
};

}  // namespace

void register_chi_square(DistanceRegistry& registry) {
  std::vector<ParamSpec> params = {share_option_params("none")[1]};
  params.push_back(
      {.name = "form",
       .type = ParamType::kChoice,
       .sentence = "two_sample: contingency table, as in NannyML and alibi-detect; one_way: the reference taken as exact, as in Evidently",
       .default_text = "two_sample",
       .choices = {"two_sample", "one_way"}});
  registry.add({.name = "chi_square",
                .summary = "Pearson's chi-square statistic between the window and the reference",
                .applies_to = "number, integer, flag, category",
                .params = std::move(params),
                .source = "Pearson (1900); chi-square with B-1 degrees",
                .example = "{check: distance, field: status, metric: chi_square, max: 30, p_value: 0.001}",
                .reasons = score_reasons({"too_few_samples", "not_defined"}),
                .notes = "Grows with n under a change, so use p_value beside max. Good from n of about 2 B on. No Yates correction, "
                         "which NannyML has with two categories. One way, a category that the reference lacks gives "
                         "not_defined, where Evidently's p-value is 0."},
               [](const Params& p) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new ChiSquare(p)); });
}

}  // namespace driftd::stats
