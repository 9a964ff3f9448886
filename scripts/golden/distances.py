#!/usr/bin/env python3
"""Distances computed by scipy and numpy, for tests/stats. Run with scipy >= 1.10; writes JSON to stdout.

    python3 scripts/golden/distances.py > tests/golden/distances.json

Every case has the bins' inclusive upper edges (none for categories), the counts and the sums of both sides,
and the expected numbers by metric: [value, p-value or null, parameters]. Metrics on distribution functions
are computed by scipy on the values themselves, which stand one a bin, so that grouping loses nothing.
"""
import json
import math
import warnings

import numpy as np
from scipy import stats
from scipy.spatial.distance import jensenshannon
from scipy.stats._hypotests import _cdf_cvm_inf

warnings.simplefilter("ignore")


def jeffreys(counts):
    return (counts + 0.5) / (counts.sum() + 0.5 * len(counts))


def evidently(counts):
    share = counts / counts.sum()
    fill = share[share > 0].min()
    return np.where(share == 0, fill / 1e6 if fill <= 0.0001 else 0.0001, share)


def by_bins(r, c):
    """Metrics that look at bins one by one; bins empty on both sides are left out."""
    keep = (r + c) > 0
    r, c = r[keep].astype(float), c[keep].astype(float)
    m, n = r.sum(), c.sum()
    s, df = n * m / (n + m), len(r) - 1
    p, q, pj, qj, pe, qe = r / m, c / n, jeffreys(r), jeffreys(c), evidently(r), evidently(c)
    tail = lambda x: float(stats.chi2.sf(x, df)) if df > 0 else 1.0
    psi = float(np.sum((qj - pj) * np.log(qj / pj)))
    kl = float(stats.entropy(pj, qj))
    js = float(jensenshannon(p, q)) ** 2
    h = math.sqrt(float(np.sum((np.sqrt(p) - np.sqrt(q)) ** 2)) / 2)
    chi2 = stats.chi2_contingency(np.array([r, c]), correction=False) if df > 0 else None
    out = [
        ["psi", psi, tail(s * psi), {}],
        ["psi", float(np.sum((qe - pe) * np.log(qe / pe))), None, {"zero": "evidently"}],
        ["kl", kl, tail(2 * s * kl), {}],
        ["kl", float(stats.entropy(qj, pj, base=2)), None, {"direction": "current_reference", "log_base": "2"}],
        ["kl", float(stats.entropy(pe, qe)), None, {"zero": "evidently"}],
        ["jensen_shannon", float(jensenshannon(p, q, base=2)), tail(8 * s * js), {}],
        ["jensen_shannon", float(jensenshannon(p, q)), None, {"log_base": "e"}],
        ["jensen_shannon", js / math.log(2), None, {"form": "divergence"}],
        ["hellinger", h, tail(8 * s * h * h), {}],
        ["total_variation", float(np.abs(p - q).sum() / 2), None, {}],
        ["l_infinity", float(np.abs(p - q).max()), None, {}],
    ]
    if chi2 is not None:
        out.append(["chi_square", float(chi2[0]), float(chi2[1]), {}])
        if (r > 0).all():
            one = stats.chisquare(c, r * n / m)
            out.append(["chi_square", float(one[0]), float(one[1]), {"form": "one_way"}])
    return out


def by_values(x, y):
    """x the reference's values, y the window's; every distinct value has a bin."""
    n = round(len(x) * len(y) / (len(x) + len(y)))
    d = float(stats.ks_2samp(x, y).statistic)
    out = [
        ["ks", d, float(stats.kstwo.sf(d, n)), {}],
        ["ks", max(0.0, d - 1.8 * math.sqrt(1 / len(x) + 1 / len(y))), None, {"robust": "true"}],
        ["wasserstein", float(stats.wasserstein_distance(x, y)), None, {}],
        ["energy", float(stats.energy_distance(x, y)), None, {}],
    ]
    if np.std(x) > 0:
        out.append(["wasserstein", float(stats.wasserstein_distance(x, y) / np.std(x)), None, {"normalize": "sd"}])
    out.append(["cramer_von_mises", *cramer_von_mises(x, y), {}])
    if len(np.unique(np.concatenate([x, y]))) > 1:
        ad = stats.anderson_ksamp([x, y])
        p = float(ad.pvalue)
        out.append(["anderson_darling", float(ad.statistic), p if 0.001 < p < 0.25 else None, {}])
    return out


def cramer_von_mises(x, y):
    """T = nm/N^2 sum over the pooled sample of (F - G)^2, and its p-value from the limiting law scaled to the mean
    and variance given the ties. Without ties both are scipy's, which is checked."""
    m, n = len(x), len(y)
    total = m + n
    z, count = np.unique(np.concatenate([x, y]), return_counts=True)
    f = np.searchsorted(np.sort(x), z, side="right") / m
    g = np.searchsorted(np.sort(y), z, side="right") / n
    t = m * n / total**2 * float(np.sum(count * (f - g) ** 2))

    def moments(ties):
        w, h = ties / total, np.cumsum(ties) / total
        k = np.minimum.outer(h, h) - np.outer(h, h)
        return float(np.sum(w * np.diag(k))), float(w @ k**2 @ w)

    mean, pairs = moments(count)
    if pairs < 1e-14:
        return t, 1.0
    untied = (total + 1) * (4 * m * n * total - 3 * (m * m + n * n) - 2 * m * n) / (45 * total**2 * 4 * m * n)
    i = np.arange(1, total)
    csc4 = float(np.sum(1 / np.sin(np.pi * i / (2 * total)) ** 4)) / 16 / total**4  # moments(np.ones(total))[1]
    variance = untied * pairs / csc4
    p = 1 - float(_cdf_cvm_inf(1 / 6 + (t - mean * total / (total - 1)) / math.sqrt(45 * variance)))
    if len(z) == total:
        known = stats.cramervonmises_2samp(x, y, method="asymptotic")
        assert abs(t - known.statistic) < 1e-9 and abs(p - known.pvalue) < 1e-9, (t, p, known)
        t, p = float(known.statistic), float(known.pvalue)
    return t, p


def values_case(name, x, y):
    """Bins as a reference with these values would have: one a value, one between each two, open ends."""
    known = np.unique(x)
    extra = np.unique(y)
    edges = sorted({float(e) for v in known for e in (np.nextafter(v, -np.inf), v)})
    bins = lambda v: np.searchsorted(edges, v, side="left")
    r, c = np.bincount(bins(x), minlength=len(edges) + 1), np.bincount(bins(y), minlength=len(edges) + 1)
    rs, cs = np.bincount(bins(x), x, len(edges) + 1), np.bincount(bins(y), y, len(edges) + 1)
    # A bin between values may hold several of the window; there scipy sees more than the bins do.
    expect = by_bins(r, c)
    if len(set(bins(np.array(extra)))) == len(extra):
        expect += by_values(x, y)
    return {"name": name, "edges": edges, "reference": r.tolist(), "current": c.tolist(), "reference_sums": rs.tolist(),
            "current_sums": cs.tolist(), "sd0": float(np.std(x)), "expect": expect}


def categories_case(name, r, c):
    return {"name": name, "edges": None, "reference": r, "current": c, "expect": by_bins(np.array(r), np.array(c))}


def main():
    rng = np.random.default_rng(20261123)
    quantised = lambda mean, sd, size: np.round(rng.normal(mean, sd, size) * 4) / 4
    clip = lambda v, x: np.clip(v, x.min(), x.max())
    cases = []
    for name, shift, scale, m, n in [("same", 0, 1, 2000, 300), ("shifted", 0.5, 1, 2000, 300), ("wider", 0, 1.6, 2000, 500),
                                     ("small", 0.3, 1, 60, 25), ("large", 0.05, 1, 20000, 8000)]:
        x = quantised(10, 2, m)
        y = clip(quantised(10 + shift * 2, 2 * scale, n), x)
        y = y[np.isin(y, x)]
        cases.append(values_case(name, x, y))
    cases.append(values_case("two_values", np.array([0.0] * 70 + [1.0] * 30), np.array([0.0] * 20 + [1.0] * 30)))
    cases.append(values_case("constant_reference", np.array([5.0] * 40), np.array([5.0] * 20 + [7.0] * 5)))
    cases.append(values_case("between_values", np.array([1.0] * 40 + [2.0] * 40 + [4.0] * 40), np.array([1.0] * 30 + [2.0] * 30 + [3.0] * 30)))
    cases.append(values_case("only_between", np.array([0.0] * 50 + [1.0] * 50 + [2.0] * 50), np.array([0.5] * 60)))
    cases.append(values_case("constants", np.array([5.0] * 500), np.array([5.0] * 100)))
    cases.append(values_case("same_four_values", np.repeat([0.0, 1, 2, 3], 500), np.repeat([0.0, 1, 2, 3], 30)))
    # No ties at all, and at most one value of the window between two of the reference.
    cases.append(values_case("no_ties", np.arange(40) + 0.25, np.arange(3, 39, 2) * 1.1))
    cases.append(values_case("beyond_the_maximum", quantised(0, 1, 500), np.array([100.0] * 50)))
    ref = np.array([((i * 37) % 101) / 10 for i in range(200)])
    cases.append(values_case("negative", -ref, -ref[::3]))
    cases.append(categories_case("new_category", [500, 300, 200, 0], [350, 400, 230, 20]))
    cases.append(categories_case("three_categories", [500, 300, 200], [190, 140, 70]))
    cases.append(categories_case("disjoint", [100, 50, 0, 0], [0, 0, 30, 70]))
    print(json.dumps({"cases": cases}, indent=None, separators=(",", ":")).replace('{"name"', '\n{"name"'))


main()
