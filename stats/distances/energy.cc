// energy: energy distance, the L2 relative of Wasserstein.
#include <cmath>

#include "stats/atoms.h"

namespace driftd::stats {
namespace {

class Energy final : public Distance {
 public:
  explicit Energy(const Params& params) : root_(params.text("form") == "distance") {}
  bool for_categories() const override { return false; }
  bool needs_sums() const override { return true; }

  Score score(const Binned& reference, const Binned& current, bool) const override {
    if (!reference.bins->numeric()) return Score::none("not_numeric");
    if (current.n <= 0 || reference.n <= 0) return Score::none("too_few_samples");
    Score out;
    double worst = -1, squared = 0;
    const bool known = for_each_gap(reference, current, [&](double gap, double difference, std::uint32_t bin) {
      const double part = 2 * gap * difference * difference;
      squared += part;
      if (part > worst) {
        worst = part;
        out.worst_bin = bin;
      }
    });
    if (!known) return Score::none("not_defined");
    if (!std::isfinite(squared)) return Score::none("overflow");
    out.value = root_ ? std::sqrt(squared) : squared;
    return out;
  }

 private:
  bool root_;
};

}  // namespace

void register_energy(DistanceRegistry& registry) {
  registry.add({.name = "energy",
                .summary = "Energy distance: root of twice the integral of (F - G)^2",
                .applies_to = "number, integer, flag",
                .params = {{.name = "form",
                            .type = ParamType::kChoice,
                            .sentence = "distance: the root, as in scipy and Evidently; squared: without it",
                            .default_text = "distance",
                            .choices = {"distance", "squared"}}},
                .source = "Szekely and Rizzo (2013)",
                .example = "{check: distance, field: vibration, metric: energy, max: 0.1}",
                .reasons = score_reasons({"too_few_samples", "not_numeric", "not_defined", "overflow"}),
                .notes = "In the root of the field's unit. Binned as wasserstein is. No p-value."},
               [](const Params& params) -> Result<std::unique_ptr<Distance>> { return std::unique_ptr<Distance>(new Energy(params)); });
}

}  // namespace driftd::stats
