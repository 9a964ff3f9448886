#include "stats/kolmogorov.h"

#include <algorithm>
#include <boost/math/special_functions/bessel.hpp>
#include <cmath>

namespace driftd::stats {

double kolmogorov_tail(double d, double n) {
  if (d <= 0.5 / n) return 1;
  if (d >= 1) return 0;
  const double z = std::sqrt(n) * d;
  // Twice the one-sided tail, whose expansion is exp(-(6nd + 1)^2 / 18n).
  const double tail = 2 * std::exp(-(6 * n * d + 1) * (6 * n * d + 1) / (18 * n));
  if (tail < 1e-3) return tail;
  if (z < 0.2) return 1;
  const double pi2 = M_PI * M_PI;
  const double z2 = z * z, z4 = z2 * z2, z6 = z4 * z2;
  double k0 = 0, k1 = 0, k2 = 0, k3 = 0, k2_whole = 0, k3_whole = 0;
  for (int k = 0; k < 20; ++k) {
    const double h = (k + 0.5) * (k + 0.5);  // both signs of k + 1/2
    const double e = 2 * std::exp(-pi2 * h / (2 * z2));
    k0 += e / 2;
    k1 += (pi2 * h - z2) * e;
    k2 += (6 * z6 + 2 * z4 + pi2 * (2 * z4 - 5 * z2) * h + pi2 * pi2 * (1 - 2 * z2) * h * h) * e;
    k3 += (pi2 * pi2 * pi2 * h * h * h * (5 - 30 * z2) + pi2 * pi2 * h * h * (-60 * z2 + 212 * z4) + pi2 * h * (135 * z4 - 96 * z6) -
           30 * z6 - 90 * z6 * z2) *
          e;
    const double w = static_cast<double>(k) * k;
    const double ew = 2 * std::exp(-pi2 * w / (2 * z2));
    if (ew == 0) break;  // so is e, and all that follows
    k2_whole += pi2 * w * ew;
    k3_whole += (3 * pi2 * w * z2 - pi2 * pi2 * w * w) * ew;
  }
  const double half = std::sqrt(M_PI / 2);
  const double root = std::sqrt(n);
  const double cdf = std::sqrt(2 * M_PI) / z * k0 + half / (6 * z4) * k1 / root +
                     (half / (72 * z6 * z) * k2 - half / (36 * z2 * z) * k2_whole) / n +
                     (half / (6480 * z6 * z4) * k3 + half / (108 * z6) * k3_whole) / (n * root);
  return std::clamp(1 - cdf, 0.0, 1.0);
}

double cramer_von_mises_tail(double x) {
  if (x <= 0.003) return 1;
  // Far out the series needs ever more terms, and what is left of 1 - cdf is rounding. There the largest
  // of the weights 1 / (k pi)^2 of the chi-squares that W^2 is a sum of decides alone.
  if (x > 3) return M_SQRT2 * std::erfc(M_PI * std::sqrt(x / 2));
  double cdf = 0, binomial = 1;  // (-1)^k binom(-1/2, k) = (2k)! / (4^k k!^2)
  for (int k = 0; k < 40; ++k) {
    const double y = 4 * k + 1;
    const double q = y * y / (16 * x);
    const double term = binomial * std::sqrt(y) * std::exp(-q) * (q > 600 ? 0 : boost::math::cyl_bessel_k(0.25, q));
    cdf += term;
    if (term < 1e-14 * cdf) break;
    binomial *= (k + 0.5) / (k + 1);
  }
  return std::clamp(1 - cdf / (M_PI * std::sqrt(x)), 0.0, 1.0);
}

}  // namespace driftd::stats
