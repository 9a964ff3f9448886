#include "stats/shares.h"

#include <algorithm>
#include <boost/math/distributions/chi_squared.hpp>
#include <cmath>

namespace driftd::stats {
namespace {

// Evidently's way: an empty share becomes 0.0001, or a millionth of the smallest share that is not
// empty when that is already as small; nothing is renormalised.
void fill_like_evidently(std::array<double, Shares::kMost>& shares, std::uint32_t size) {
  double least = 1;
  for (std::uint32_t i = 0; i < size; ++i) {
    if (shares[i] > 0) least = std::min(least, shares[i]);
  }
  const double fill = least <= 0.0001 ? least / 1e6 : 0.0001;
  for (std::uint32_t i = 0; i < size; ++i) {
    if (shares[i] == 0) shares[i] = fill;
  }
}

// Merges bins to about `bins` of equal reference mass. Cuts where an edge is the nearest one to a multiple of that mass, from whichever
// side: cutting where a multiple is reached would treat a distribution and its mirror image differently. Never before the first mass nor
// behind the last, so that the open ends belong to their neighbours.
void merge(const Binned& reference, const Binned& current, std::uint32_t bins, Shares& out) {
  const double width = reference.n / bins;
  const auto multiples = [&](double mass) { return std::clamp(std::floor(mass / width + 1e-9), 0.0, bins - 1.0); };
  double p = 0, q = 0, below = 0, done = 0;
  std::uint32_t first = 0;
  for (std::uint32_t b = 0; b < reference.counts.size(); ++b) {
    if (p == 0 && q == 0) first = b;
    p += reference.counts[b];
    q += current.counts[b];
    if (p == 0 && q == 0) continue;
    if (b + 1 < reference.counts.size()) {
      if (reference.counts[b] == 0) continue;
      below += reference.counts[b];
      std::uint32_t next = b + 1;
      while (next < reference.counts.size() && reference.counts[next] == 0) ++next;
      if (next == reference.counts.size()) continue;
      const double after = below + reference.counts[next];
      // The last cut that there can be has all multiples that are left.
      const double reached = after > reference.n - 0.5 ? bins - 1.0 : multiples((below + after) / 2);
      if (reached <= done) continue;
      done = reached;
    }
    out.p[out.size] = p;
    out.q[out.size] = q;
    out.bin[out.size++] = first;
    p = q = 0;
  }
}

}  // namespace

std::vector<ParamSpec> share_option_params(const char* zero_default) {
  return {{.name = "zero",
           .type = ParamType::kChoice,
           .sentence = "Empty bins: jeffreys adds 1/2 to every count, evidently fills in 0.0001 as Evidently does, none leaves them",
           .default_text = zero_default,
           .choices = {"jeffreys", "evidently", "none"}},
          {.name = "bins",
           .type = ParamType::kInteger,
           .sentence = "Merge numeric bins to at most so many of equal reference mass (10 for the folk thresholds of PSI); 0 takes the "
                       "reference's own, 1 would see nothing",
           .default_text = "0",
           .min = 0,
           .max = 1000}};
}

ShareOptions read_share_options(const Params& params) {
  ShareOptions options;
  const std::string& zero = params.text("zero");
  if (zero == "jeffreys") options.zero = ShareOptions::Zero::kJeffreys;
  if (zero == "evidently") options.zero = ShareOptions::Zero::kEvidently;
  options.bins = static_cast<std::uint32_t>(params.integer("bins"));
  return options;
}

const char* make_shares(const Binned& reference, const Binned& current, const ShareOptions& options, Shares& out) {
  out.size = 0;
  out.n = current.n;
  out.m = reference.n;
  if (current.n <= 0 || reference.n <= 0) return "too_few_samples";
  if (reference.counts.size() > Shares::kMost) return "not_defined";
  if (options.bins > 0 && reference.bins->numeric()) {
    merge(reference, current, options.bins, out);
  } else {
    for (std::uint32_t b = 0; b < reference.counts.size(); ++b) {
      out.p[out.size] = reference.counts[b];
      out.q[out.size] = current.counts[b];
      out.bin[out.size] = b;
      out.size += reference.counts[b] + current.counts[b] > 0 ? 1 : 0;
    }
  }
  const double add = options.zero == ShareOptions::Zero::kJeffreys ? 0.5 : 0;
  const double m = out.m + add * out.size, n = out.n + add * out.size;
  for (std::uint32_t i = 0; i < out.size; ++i) {
    out.p[i] = (out.p[i] + add) / m;
    out.q[i] = (out.q[i] + add) / n;
  }
  if (options.zero == ShareOptions::Zero::kEvidently) {
    fill_like_evidently(out.p, out.size);
    fill_like_evidently(out.q, out.size);
  }
  return nullptr;
}

double chi_square_tail(double x, double df) {
  if (df <= 0 || x <= 0) return 1;
  // In double, not in long double as boost has it by default: that is several times the time, for
  // digits that no decision rests on.
  using Policy = boost::math::policies::policy<boost::math::policies::promote_double<false>>;
  return boost::math::cdf(boost::math::complement(boost::math::chi_squared_distribution<double, Policy>(df), x));
}

}  // namespace driftd::stats
