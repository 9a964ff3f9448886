// kl: Kullback-Leibler divergence.
#include <cmath>

#include "stats/shares.h"

namespace driftd::stats {
namespace {

class Kl final : public Distance {
 public:
  explicit Kl(const Params& params)
      : options_(read_share_options(params)),
        from_reference_(params.text("direction") == "reference_current"),
        unit_(params.text("log_base") == "2" ? std::log(2.0) : 1) {}

  bool has_p_value() const override { return true; }
  Score score(const Binned& reference, const Binned& current, bool p_value) const override {
    Shares s;
    if (const char* why = make_shares(reference, current, options_, s)) return Score::none(why);
    // Renormalised: zero: evidently leaves sums a little above 1.
    double sum_p = 0, sum_q = 0;
    for (std::uint32_t i = 0; i < s.size; ++i) {
      sum_p += s.p[i];
      sum_q += s.q[i];
    }
    Score out;
    double worst = -1;
    for (std::uint32_t i = 0; i < s.size; ++i) {
      const double p = s.p[i] / sum_p, q = s.q[i] / sum_q;
      const double a = from_reference_ ? p : q, b = from_reference_ ? q : p;
      const double part = a == 0 ? 0 : a * std::log(a / b);
      if (!std::isfinite(part)) return Score::none("not_defined");
      out.value += part;
      if (std::fabs(part) > worst) {
        worst = std::fabs(part);
        out.worst_bin = s.bin[i];
      }
    }
    out.value = std::max(0.0, out.value);
    if (p_value) out.p_value = chi_square_tail(2 * s.harmonic() * out.value, s.size - 1.0);
    out.excess = (out.value - s.null_mean() / 2) / unit_;
    out.value /= unit_;
    return out;
  }

 private:
  ShareOptions options_;
  bool from_reference_;
  double unit_;
};

}  // namespace

void register_kl(DistanceRegistry& registry) {
  std::vector<ParamSpec> params = share_option_params("jeffreys");
  params.push_back({.name = "direction",
                    .type = ParamType::kChoice,
                    .sentence = "KL(reference, current), as in Evidently, or KL(current, reference), as in Great Expectations",
                    .default_text = "reference_current",
                    .choices = {"reference_current", "current_reference"}});
  params.push_back(
      {.name = "log_base", .type = ParamType::kChoice, .sentence = "e (nats) or 2 (bits)", .default_text = "e", .choices = {"e", "2"}});
  registry.add(
      {.name = "kl",
       .summary = "Kullback-Leibler divergence: sum of p ln(p / q) over the bins",
       .applies_to = "number, integer, flag, category",
       .params = std::move(params),
       .source = "Kullback and Leibler (1951); null mean (B-1)/2 (1/n+1/m), 2nm/(n+m) KL about chi-square with B-1 degrees",
       .example = "{check: distance, field: status, metric: kl, max: 0.1}",
       .reasons = score_reasons({"too_few_samples", "not_defined"}),
       .notes = "Not symmetric. Without smoothing (zero: none) a bin that only one side has makes it infinite: no_verdict not_defined. "
                "zero: evidently gives Evidently's number on equal bins, but for bins that are empty on both sides: Evidently fills in "
                "0.0001 there too, here they are left out."},
      [](const Params& params_) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new Kl(params_)); });
}

}  // namespace driftd::stats
