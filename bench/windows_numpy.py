"""numpy at its best on the windows of bench_windows, in turn with it; prints both and the ratio.

    pip install numpy
    python3 bench/windows_numpy.py build/bench/bench/bench_windows [rounds]

Everything that depends on the reference alone is computed once: its sorted values, prefix sums, bin
edges and shares. A window then costs one sort of its four fields, one searchsorted a field, and
array arithmetic over all four fields at a time. KS and W1 are exact here (driftd's are on the frozen
bins); PSI and JS are the same numbers, which is checked to 1e-9 before anything is timed.
"""
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

FIELDS, ROWS = 4, 300


class Reference:
    def __init__(self, values, edges):
        self.n = len(values)
        self.sorted = np.sort(values)
        self.sum_below = np.concatenate([[0.0], np.cumsum(self.sorted)])
        self.edges = edges
        self.counts = self.histogram(values)
        self.sd = values.std()

    def histogram(self, values):
        # Bins (a, b], open at both ends, as driftd's.
        return np.bincount(np.searchsorted(self.edges, values, side="left"), minlength=len(self.edges) + 1)


class Judge:
    """Scores of windows: arrays of shape (fields, rows) in, (fields, 4) out: KS, PSI, JS, W1 / sd."""

    def __init__(self, references):
        self.references = references
        width = max(len(r.counts) for r in references)
        self.counts = np.zeros((FIELDS, width))
        for field, r in enumerate(references):
            self.counts[field, :len(r.counts)] = r.counts
        self.n = np.array([[r.n] for r in references])
        self.shares = self.counts / self.n
        self.log_shares = np.log2(np.where(self.shares > 0, self.shares, 1))
        self.sd = np.array([r.sd for r in references])

    def judge(self, window):
        n = window.shape[1]
        ordered = np.sort(window, axis=1)
        counts = np.zeros_like(self.counts)
        out = np.empty((FIELDS, 4))
        steps = np.arange(n + 1) / n
        for field, r in enumerate(self.references):
            values = ordered[field]
            # The window's values are sorted: the bins' counts are where the edges fall in it.
            at = np.searchsorted(values, r.edges, side="right")
            counts[field, :len(r.counts)] = np.diff(at, prepend=0, append=n)
            rank = np.searchsorted(r.sorted, values, side="right")
            f = rank / r.n
            out[field, 0] = max((steps[1:] - f).max(), (f - steps[:-1]).max())
            out[field, 3] = self.wasserstein(r, values, rank, steps)
        used = self.counts + counts > 0
        bins = used.sum(axis=1, keepdims=True)
        p = (self.counts + 0.5) / (self.n + 0.5 * bins)
        q = (counts + 0.5) / (n + 0.5 * bins)
        out[:, 1] = ((q - p) * np.log(q / p) * used).sum(axis=1)
        shares = counts / n
        middle = np.log2(np.where(used, (self.shares + shares) / 2, 1))
        logs = np.log2(np.where(shares > 0, shares, 1))
        divergence = self.shares * (self.log_shares - middle) + shares * (logs - middle)
        out[:, 2] = np.sqrt(np.maximum(divergence.sum(axis=1) / 2, 0))
        out[:, 3] /= self.sd
        return out

    @staticmethod
    def wasserstein(r, values, rank, steps):
        """The integral of |F - G| without a walk over the reference: between two neighbours of the
        window G stands still and F passes it at one quantile at most; F's integral is in prefix sums."""
        below = (values * rank - r.sum_below[rank]) / r.n  # integral of F up to each value
        total = values[-1] * 1.0 - r.sum_below[-1] / r.n   # of F up to the last value, were F 1 there
        left, right, level = values[:-1], values[1:], steps[1:-1]
        cross = np.clip(r.sorted[np.minimum((level * r.n).astype(np.int64), r.n - 1)], left, right)
        at = np.searchsorted(r.sorted, cross, side="right")
        here = (cross * at - r.sum_below[at]) / r.n
        inner = level * (2 * cross - left - right) - 2 * here + below[:-1] + below[1:]
        outer = below[0] + (below[-1] - total)  # F before the first value, 1 - F behind the last
        return inner.sum() + outer


def read(folder, name):
    return np.fromfile(pathlib.Path(folder) / f"{name}.f64")


def main(binary, rounds):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([binary, "--dump", folder], check=True)
        references = [Reference(read(folder, f"reference{f}"), read(folder, f"edges{f}")) for f in range(FIELDS)]
        rows = np.stack([read(folder, f"rows{f}") for f in range(FIELDS)])
        scores = read(folder, "scores").reshape(-1, FIELDS, 4)
        bulk_scores = read(folder, "bulk_scores").reshape(FIELDS, 4)
    judge = Judge(references)
    windows = [np.ascontiguousarray(rows[:, at:at + ROWS]) for at in range(0, rows.shape[1], ROWS)]

    def check(found, expected, what):
        assert np.allclose(found[..., 1:3], expected[..., 1:3], rtol=1e-9, atol=1e-9), f"{what}: PSI, JS"
        # driftd's KS is a lower bound, one bin's mass below the exact one at most; its W1 is near.
        assert (found[..., 0] >= expected[..., 0] - 1e-12).all(), f"{what}: KS"
        assert (found[..., 0] - expected[..., 0] < 1 / 16).all(), f"{what}: KS"
        assert np.abs(found[..., 3] - expected[..., 3]).max() < 0.05, f"{what}: W1"

    check(np.stack([judge.judge(w) for w in windows]), scores, "windows")
    check(judge.judge(rows), bulk_scores, "bulk")
    for field, r in enumerate(references):  # W1 against the textbook, on some windows
        for w in windows[:20]:
            places = np.sort(np.concatenate([r.sorted, w[field]]))
            difference = (np.searchsorted(r.sorted, places[:-1], side="right") / r.n
                          - np.searchsorted(np.sort(w[field]), places[:-1], side="right") / ROWS)
            exact = (np.abs(difference) * np.diff(places)).sum() / r.sd
            assert abs(exact - judge.judge(w)[field, 3]) < 1e-9, "W1 is not the textbook's"

    def numpy_windows():
        for w in windows:
            judge.judge(w)

    def timed(work):
        begin = time.perf_counter()
        work()
        return time.perf_counter() - begin

    def driftd(what):
        return float(subprocess.run([binary, "--only", what], check=True, capture_output=True, text=True).stdout)

    print(f"numpy {np.__version__}, {len(windows)} windows of {ROWS} rows x {FIELDS} fields, {rounds} rounds")
    for what, work, count, unit in (("windows", numpy_windows, len(windows), "windows/s"),
                                    ("bulk", lambda: judge.judge(rows), rows.shape[1], "rows/s")):
        pairs = [(timed(work), driftd(what)) for _ in range(rounds + 1)][1:]
        best_numpy, best_driftd = (count / min(column) for column in zip(*pairs))
        ratio = np.median([a / b for a, b in pairs])
        print(f"{what:8} numpy {best_numpy:12,.0f} {unit}   driftd {best_driftd:12,.0f} {unit}   ratio {ratio:.1f}")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 7)
