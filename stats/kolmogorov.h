// The law of the two-sided Kolmogorov-Smirnov statistic.
#pragma once

namespace driftd::stats {

// P(D_n > d) for n values of one continuous sample. Pelz and Good's expansion (1976), and Smirnov's
// one-sided tail doubled where the probability is small (Simard and L'Ecuyer 2011): within 1e-4 of the
// exact law for n >= 100, within 1e-2 for n >= 10. Preconditions: n >= 1.
double kolmogorov_tail(double d, double n);

// P(W^2 > x) of the limiting Cramer-von Mises law (Anderson and Darling 1952); beyond x = 3, where it is
// below 1e-7, its leading term (Zolotarev 1961), within 2 %.
double cramer_von_mises_tail(double x);

}  // namespace driftd::stats
