#!/usr/bin/env python3
"""Tails of the laws that p-values come from, by scipy, for tests/stats. Run with scipy >= 1.10; writes JSON.

    python3 scripts/golden/laws.py > tests/golden/laws.json

kolmogorov: [n, d, exact P(D_n > d)]. cramer_von_mises: [x, P(W^2 > x)] of the limiting law.
chi_square: [x, degrees of freedom, P(X > x)].
"""
import json

from scipy import stats
from scipy.stats import _hypotests

kolmogorov = []
for n in [10, 20, 50, 100, 400, 1000, 10000, 100000]:
    for z in [0.1, 0.25, 0.4, 0.5, 0.6, 0.75, 0.9, 1.0, 1.2, 1.36, 1.63, 2.0, 2.5, 3.0, 4.0]:
        d = z / n**0.5
        if d < 1:
            kolmogorov.append([n, d, float(stats.kstwo.sf(d, n))])
cramer_von_mises = [[x, float(1 - _hypotests._cdf_cvm_inf(x))]
                    for x in [0.01, 0.02, 0.03, 0.05, 0.1, 0.118, 0.2, 0.347, 0.461, 0.743, 1.0, 1.168, 2.0]]
chi_square = [[x, df, float(stats.chi2.sf(x, df))] for df in [1, 2, 9, 31, 200] for x in [0.01, 0.5, 1.0, 3.84, 10.0, 50.0, 250.0]]
print(json.dumps({"kolmogorov": kolmogorov, "cramer_von_mises": cramer_von_mises, "chi_square": chi_square})
      .replace(', "', ',\n"'))
