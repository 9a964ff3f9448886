#!/usr/bin/env python3
"""Drift numbers as Evidently, NannyML and TFDV themselves report them, for tests/stats/peers_test.cc.

    export PYTHONHASHSEED=0  # sums over sets of texts would end in other digits each time
    pip install evidently==0.7.23 'pandas<3'                # Python 3.11
    python3 scripts/golden/peers.py evidently > tests/golden/peers_evidently.json
    pip install nannyml==0.13.1                             # Python 3.10
    python3 scripts/golden/peers.py nannyml > tests/golden/peers_nannyml.json
    uv pip install tensorflow-data-validation==1.16.1 dill  # Python 3.10; pip looks for versions that fit for too long
    python3 scripts/golden/peers.py tfdv > tests/golden/peers_tfdv.json

Each in a virtual environment of its own, as one cannot hold all three. The cases are made as those of distances.py: bins
with their inclusive upper edges (none for categories), the counts of both sides, and what the tool reports, by our metric:
[value or null, p-value or null, parameters that give the tool's number]. The bins are those of the tool, where it bins;
numbers that it takes from the values come with one bin for every value, so that grouping loses nothing.
"""
import importlib.metadata
import json
import os
import sys
import warnings

import numpy as np
import pandas as pd

warnings.simplefilter("ignore")

# The package, its version, and packages that have a say in its numbers, whose versions are written down.
NEEDS = {"evidently": ("evidently", "0.7.23", ["scipy", "numpy", "pandas"]),
         "nannyml": ("nannyml", "0.13.1", ["scipy", "numpy", "pandas"]),
         "tfdv": ("tensorflow-data-validation", "1.16.1", ["tfx-bsl", "numpy", "pandas"])}


# --- data: {name: (reference, current)} ---


def steps(count, step, modulus, scale=1.0, shift=0.0):
    """`count` numbers that visit all `modulus` levels in turn, a prime, `step` at a time."""
    return [((i * step) % modulus) / 10 * scale + shift for i in range(count)]


REFERENCE = steps(200, 37, 101)
NUMBERS = {
    "shifted": (REFERENCE, steps(150, 53, 97, 1.1, 0.5)),
    "beyond_both_ends": (REFERENCE, steps(150, 53, 97, 2.0, -5.0)),
    "only_outside": (REFERENCE, steps(60, 7, 11, 1.0, -4.0) + steps(60, 5, 13, 1.0, 12.0)),
    "in_the_middle": (REFERENCE, steps(90, 3, 17, 1.0, 4.0)),
    "without_ties": (steps(101, 37, 101), steps(97, 53, 97, 1.1, 0.535)),
    "many_rows": (steps(12000, 37, 101), steps(4400, 53, 97) + steps(6600, 53, 101)),
    "missing": ([None if i % 4 == 0 else x for i, x in enumerate(REFERENCE)],
                [None if i % 5 == 0 else x for i, x in enumerate(steps(150, 53, 97, 1.1, 0.5))]),
    "few_values": ([0.0, 1.0, 2.0, 3.0] * 100, [0.0, 1.0, 3.0, 3.0, 4.0] * 60),
    "constant": ([1.5] * 100, [1.5] * 60),
    "two_constants": ([1.5] * 100, [2.5] * 60),
}
TEXTS = {
    "new_category": ({"a": 500, "b": 300, "c": 200}, {"a": 350, "b": 400, "c": 230, "d": 20}),
    "lost_category": ({"a": 500, "b": 300, "c": 200}, {"a": 250, "b": 150}),
    "three_categories": ({"a": 500, "b": 300, "c": 200}, {"a": 190, "b": 140, "c": 70}),
    "two_categories": ({"a": 100, "b": 300}, {"a": 93, "b": 207}),
    "rare_categories": ({"a": 19990, "b": 9, "c": 1}, {"a": 960, "b": 20, "d": 15, "e": 5}),
    "disjoint": ({"a": 100, "b": 50}, {"c": 30, "d": 70}),
    "one_category": ({"a": 100}, {"a": 60}),
}


def frames(reference, current):
    """The two sides as a tool gets them: data frames with one column, x."""
    rows = lambda side: [k for k, n in side.items() for _ in range(n)] if isinstance(side, dict) else side
    return pd.DataFrame({"x": rows(reference)}), pd.DataFrame({"x": rows(current)})


# --- cases ---


def present(values):
    return np.array([v for v in values if v is not None], dtype=float)


def case(name, edges, reference, current, expect, **more):
    whole = lambda counts: [int(n) if float(n).is_integer() else float(n) for n in counts]
    return {"name": name, "edges": edges, "reference": whole(reference), "current": whole(current), **more, "expect": expect}


def category_case(name, reference, current, expect):
    keys = sorted({**reference, **current})
    return case(name, None, [reference.get(k, 0) for k in keys], [current.get(k, 0) for k in keys], expect)


def value_case(name, reference, current, expect):
    """One bin for every value of either side, and an empty one above."""
    x, y = present(reference), present(current)
    values = np.unique(np.concatenate([x, y]))
    count = lambda side: np.bincount(np.searchsorted(values, side), minlength=len(values) + 1)
    sums = lambda side: (count(side) * np.append(values, 0)).tolist()
    return case(name, values.tolist(), count(x), count(y), expect, reference_sums=sums(x), current_sums=sums(y), sd0=float(np.std(x)))


# --- Evidently ---


def evidently():
    """Reports say one number a test: the distance, or the p-value where the test has one."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.legacy.calculations.stattests.utils import get_binned_data
    from evidently.legacy.core import ColumnType
    from evidently.metrics import ValueDrift

    def report(data, columns, tests):
        definition = DataDefinition(**{columns: ["x"]})
        reference, current = (Dataset.from_pandas(frame, definition) for frame in frames(*data))
        done = Report([ValueDrift(column="x", method=test) for test in tests]).run(current, reference).dict()["metrics"]
        return {test: float(metric["value"]) for test, metric in zip(tests, done)}

    binned = lambda got: [["psi", got["psi"], None, {"zero": "evidently"}], ["kl", got["kl_div"], None, {"zero": "evidently"}],
                          ["jensen_shannon", got["jensenshannon"], None, {"log_base": "e"}]]
    for name, data in NUMBERS.items():
        x, y = map(present, data)
        # Its Anderson-Darling raises when all values are equal.
        several = len(np.unique(np.concatenate([x, y]))) > 1
        got = report(data, "numerical_columns", ["psi", "kl_div", "jensenshannon", "hellinger", "wasserstein", "ed", "ks",
                                                 "cramer_von_mises"] + ["anderson"] * several)
        # Up to 20 values are bins themselves, in no order; more are binned together with the window's.
        shares = get_binned_data(pd.Series(x), pd.Series(y), ColumnType.Numerical, 30, feel_zeroes=False)
        r, c = (np.rint(share * len(side)) for share, side in zip(shares, (x, y)))
        edges = None
        if len(np.unique(x)) > 20:
            edges = np.histogram_bin_edges(np.concatenate([x, y]), "sturges")
            assert (np.histogram(x, edges)[0] == r).all() and (np.histogram(y, edges)[0] == c).all(), name
            edges = edges[1:-1].tolist()
        yield case(name + ", its bins", edges, r, c, binned(got))
        # Hellinger's bins are cut by the distinct values, each of which counts once.
        edges = np.histogram_bin_edges(np.unique(np.concatenate([x, y])), "sturges")
        yield case(name + ", its bins of distinct values", edges[1:-1].tolist(), np.histogram(x, edges)[0], np.histogram(y, edges)[0],
                   [["hellinger", got["hellinger"], None, {}]])
        expect = [["wasserstein", got["wasserstein"], None, {"normalize": "evidently"}], ["energy", got["ed"], None, {}],
                  ["ks", None, got["ks"], {}]]
        if several and 0.001 < got["anderson"] < 0.25:  # it knows no other p-values
            expect.append(["anderson_darling", None, got["anderson"], {}])
        if name == "without_ties":  # with ties its midranks make another statistic
            expect.append(["cramer_von_mises", None, got["cramer_von_mises"], {}])
        yield value_case(name, *data, expect)
    for name, data in TEXTS.items():
        got = report(data, "categorical_columns", ["psi", "kl_div", "jensenshannon", "hellinger", "chisquare"])
        expect = binned(got) + [["hellinger", got["hellinger"], None, {}]]
        if name != "one_category":  # NaN, without a degree of freedom
            expect.append(["chi_square", None, got["chisquare"], {"form": "one_way"}])
        yield category_case(name, *data, expect)


# --- NannyML ---


def nannyml():
    """The one chunk of all rows; bins are Doane's of the reference, and what is outside of them."""
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"
    from nannyml import UnivariateDriftCalculator

    def calculate(data, kind, methods):
        """{method: (value, the object that computed it)}"""
        reference, current = frames(*data)
        calculator = UnivariateDriftCalculator(column_names=["x"], treat_as_categorical=["x"] if kind == "categorical" else None,
                                               chunk_number=1, **{kind + "_methods": methods})
        result = calculator.fit(reference).calculate(current).filter(period="analysis").to_df()
        objects = {method.column_name: method for method in calculator._column_to_models_mapping["x"]}
        return {m: (float(result["x", m, "value"].iloc[0]), objects[m]) for m in methods}

    for name, data in NUMBERS.items():
        got = calculate(data, "continuous", ["jensen_shannon", "hellinger", "kolmogorov_smirnov", "wasserstein"])
        edges = got["jensen_shannon"][1]._bins
        assert (edges == got["hellinger"][1]._bins).all(), name
        below = lambda side: np.sum(side < edges[0])
        r, c = ([below(side), *np.histogram(side, edges)[0], np.sum(side > edges[-1])] for side in map(present, data))
        yield case(name + ", its bins", edges.tolist(), r, c,
                   [["jensen_shannon", got["jensen_shannon"][0], None, {}], ["hellinger", got["hellinger"][0], None, {}]])
        expect = [["ks", got["kolmogorov_smirnov"][0], None, {}]]
        # From 10,000 rows of the reference on it bins them, 10,000 bins of equal width, and no longer has the distance of the values.
        if len(data[0]) < 10000:
            expect.append(["wasserstein", got["wasserstein"][0], None, {}])
        yield value_case(name, *data, expect)
    for name, data in TEXTS.items():
        got = calculate(data, "categorical", ["jensen_shannon", "hellinger", "l_infinity", "chi2"])
        expect = [[m, got[m][0], None, {}] for m in ("jensen_shannon", "hellinger", "l_infinity")]
        if name != "two_categories":  # it has Yates' correction there
            expect.append(["chi_square", got["chi2"][0], float(got["chi2"][1]._p_value), {}])
        yield category_case(name, *data, expect)


# --- TFDV ---


def tfdv():
    """Measurements of the drift comparator. Each side has ten buckets of its own (a single one, without width, when its
    values are all equal), which it cuts where the other side's are, as if the values lay evenly in a bucket."""
    os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
    import tensorflow_data_validation as tfdv

    def measure(data):
        """([statistics of a side], {metric: value})"""
        sides = [tfdv.generate_statistics_from_dataframe(frame) for frame in frames(*data)]
        schema = tfdv.infer_schema(sides[1], infer_feature_shape=False)
        comparator = tfdv.get_feature(schema, "x").drift_comparator
        comparator.jensen_shannon_divergence.threshold = 0
        if isinstance(data[0], dict):
            comparator.infinity_norm.threshold = 0
        anomalies = tfdv.validate_statistics(sides[1], schema, previous_statistics=sides[0])
        [info] = anomalies.drift_skew_info
        kinds = type(info.drift_measurements[0])
        return sides, {kinds.Type.Name(m.type): m.value for m in info.drift_measurements}

    def buckets(side):
        [feature] = side.datasets[0].features
        [standard] = [h for h in feature.num_stats.histograms if h.type == h.STANDARD]
        return [(b.low_value, b.high_value, b.sample_count) for b in standard.buckets]

    def cut(side, edges):
        """Mass of each (edges[i], edges[i+1])."""
        out = np.zeros(len(edges) - 1)
        for low, high, count in side:
            out += count * np.clip(np.minimum(edges[1:], high) - np.maximum(edges[:-1], low), 0, None) / (high - low)
        return out

    for name, data in NUMBERS.items():
        sides, got = measure(data)
        expect = [["jensen_shannon", got["JENSEN_SHANNON_DIVERGENCE"], None, {"form": "divergence"}]]
        own = [buckets(side) for side in sides]
        if all(low == high for side in own for low, high, _ in side):
            yield category_case(name + ", its buckets", *({low: count for low, _, count in side} for side in own), expect)
            continue
        edges = np.unique([edge for side in own for low, high, _ in side for edge in (low, high)])
        yield case(name + ", its buckets", edges[1:-1].tolist(), cut(own[0], edges), cut(own[1], edges), expect)
    for name, data in TEXTS.items():
        _, got = measure(data)
        yield category_case(name, *data, [["jensen_shannon", got["JENSEN_SHANNON_DIVERGENCE"], None, {"form": "divergence"}],
                                          ["l_infinity", got["L_INFTY"], None, {}]])


def main():
    if len(sys.argv) != 2 or sys.argv[1] not in NEEDS:
        sys.exit(f"usage: peers.py {'|'.join(NEEDS)}")
    package, needed, others = NEEDS[sys.argv[1]]
    installed = importlib.metadata.version(package)
    if installed != needed:
        sys.exit(f"peers.py: the numbers are those of {package} {needed}, but {installed} is installed")
    made_with = {name: importlib.metadata.version(name) for name in [package, *others]}
    if os.environ.get("PYTHONHASHSEED") != "0":
        sys.exit("peers.py: set PYTHONHASHSEED=0, or the last digits are others each time")
    cases = list(globals()[sys.argv[1]]())
    print(json.dumps({"made_with": made_with, "cases": cases}, separators=(",", ":"), allow_nan=False).replace('{"name"', '\n{"name"'))


if __name__ == "__main__":
    main()
